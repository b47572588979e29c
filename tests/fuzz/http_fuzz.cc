// What a client sends before anybody knows it: heads and chunked bodies, arriving in pieces. How
// they are cut must change nothing, and nothing points outside the input.
//
// The first byte says how long the pieces are. What follows is a head, and a chunked body behind
// it.
#include <string>

#include "fuzz/fuzz.h"
#include "http/chunked.h"
#include "http/head.h"

using namespace berth;

namespace {

void must_lie_in(std::string_view whole, std::string_view part) {
    if (part.empty() || part == "/") return;
    fuzz::must(
        part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size(),
        "views point into the head");
}

void must_be_clean(std::string_view text) {
    for (const char c : text)
        fuzz::must(c != '\r' && c != '\n' && c != '\0', "no view has the end of a line");
}

// Returns the head's length; 0: it is not whole.
std::size_t check_head(std::string_view text, std::size_t piece) {
    std::size_t searched = 0;
    const auto size = http::find_head_end(text, searched);
    std::size_t searched_in_pieces = 0;
    std::size_t found = 0;
    for (std::size_t end = piece; found == 0 && end < text.size() + piece; end += piece)
        found = http::find_head_end(text.substr(0, end), searched_in_pieces);
    fuzz::must(found == size, "a head ends in one place, however it arrives");
    if (size == 0) return 0;

    const auto head = text.substr(0, size);
    http::Request request;
    const auto framing = http::parse_head(head, request);
    for (const auto view : {request.method_text, request.target, request.path, request.query,
                            request.host, request.version}) {
        must_lie_in(head, view);
        must_be_clean(view);
    }
    for (const auto& field : request.fields) {
        must_lie_in(head, field.name);
        must_be_clean(field.name);
        must_be_clean(field.value);
        fuzz::must(field.name.find_first_of(" :\t") == field.name.npos, "a name is a token");
    }
    if (!framing) {
        fuzz::must(framing.error().status >= 400 && !framing.error().reason.empty(),
                   "a refusal has a status and a reason");
        return 0;
    }
    fuzz::must(!(request.chunked && request.content_length), "there is one way of framing");
    fuzz::must(!request.path.empty(), "there is a path");
    return size;
}

struct Decoded {
    std::string text;
    std::size_t consumed = 0;
    bool valid = true;
    bool done = false;
    bool operator==(const Decoded&) const = default;
};

// `in_place`: the output lies over the input, as in the server.
Decoded decode(std::string_view coded, std::size_t piece, bool in_place) {
    http::ChunkedDecoder decoder;
    Decoded decoded;
    while (decoded.consumed < coded.size() && !decoder.done()) {
        std::string in(coded.substr(decoded.consumed, piece));
        std::string out(in_place ? 0 : piece, '\0');
        std::string& target = in_place ? in : out;
        const auto step = decoder.decode(
            as_bytes(in), std::as_writable_bytes(std::span(target.data(), target.size())));
        if (!step) {
            decoded.valid = false;
            break;
        }
        fuzz::must(step->produced <= step->consumed, "decoding never makes more");
        fuzz::must(step->consumed > 0, "decoding goes on");
        decoded.text.append(target, 0, step->produced);
        decoded.consumed += step->consumed;
    }
    decoded.done = decoder.done();
    return decoded;
}

void check_chunked(std::string_view coded, std::size_t piece) {
    const Decoded whole = decode(coded, coded.size(), true);
    for (const bool in_place : {true, false}) {
        const Decoded pieces = decode(coded, piece, in_place);
        fuzz::must(pieces.valid == whole.valid, "a body is valid, however it arrives");
        if (whole.valid) fuzz::must(pieces == whole, "a body is the same, however it arrives");
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const std::size_t piece = data[0] % 64 + 1;
    const auto text = fuzz::text_of(data, size).substr(1);
    const auto head_size = check_head(text, piece);
    check_chunked(text.substr(head_size), piece);
    return 0;
}
