// Goal: chunked bodies are decoded strictly, however they are cut.
// Method: each row is decoded whole, byte by byte, in place, and into an output that is too small.
#include "http/chunked.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace berth::http {
namespace {

// What came out, and what was left of the input: "abc|rest"; or "invalid".
std::string decode(std::string_view text, std::size_t piece, std::size_t room) {
    ChunkedDecoder decoder;
    std::string out;
    std::string buffer(room, '\0');
    while (!decoder.done() && !text.empty()) {
        const auto step =
            decoder.decode(as_bytes(text.substr(0, piece)),
                           std::as_writable_bytes(std::span(buffer.data(), buffer.size())));
        if (!step) return std::string(name_of(step.error().code));
        out.append(buffer, 0, step->produced);
        text.remove_prefix(step->consumed);
    }
    return decoder.done() ? out + "|" + std::string(text) : out + "...";
}

std::string decode_in_place(std::string text) {
    ChunkedDecoder decoder;
    const auto bytes = std::as_writable_bytes(std::span(text.data(), text.size()));
    const auto step = decoder.decode(bytes, bytes);
    if (!step) return std::string(name_of(step.error().code));
    return text.substr(0, step->produced) +
           (decoder.done() ? "|" + text.substr(step->consumed) : "...");
}

TEST(ChunkedDecoder, DecodesStrictly) {
    const std::string long_extension(300, 'x');
    const std::string long_trailer(9000, 'x');
    struct Row {
        std::string coded;
        std::string decoded;
    };
    const Row rows[] = {
        {"0\r\n\r\n", "|"},
        {"3\r\nabc\r\n0\r\n\r\n", "abc|"},
        {"3\r\nabc\r\n0\r\n\r\nGET", "abc|GET"},
        {"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", "abcde|"},
        {"A\r\n0123456789\r\n000\r\n\r\n", "0123456789|"},
        {"00a\r\n0123456789\r\n0\r\n\r\n", "0123456789|"},
        {"3;a=b;c=\"d\"\r\nabc\r\n0;e\r\n\r\n", "abc|"},
        {"3 \t;a\r\nabc\r\n0\r\n\r\n", "abc|"},
        {"1\r\na\r\n0\r\nA: b\r\nC:\r\n\r\nx", "a|x"},
        {"1\r\n\n\r\n0\r\n\r\n", "\n|"},
        {"5\r\nabc", "abc..."},
        {"", "..."},
        {"\r\n", "invalid"},
        {"x\r\n", "invalid"},
        {"-1\r\n", "invalid"},
        {"0x3\r\nabc\r\n", "invalid"},
        {" 3\r\nabc\r\n", "invalid"},
        {"3 \r\nabc\r\n", "invalid"},
        {"3\nabc\r\n", "invalid"},
        {"3\r\nabc\n", "invalid"},
        {"3\r\nabcd\r\n", "invalid"},
        {"3\rabc\r\n", "invalid"},
        {"3\r\nabc0\r\n\r\n", "invalid"},
        {"3;a\nb\r\nabc\r\n", "invalid"},
        {std::string("3;a\0\r\nabc\r\n", 10), "invalid"},
        {"3;" + long_extension + "\r\nabc\r\n", "invalid"},
        {"00000000000000003\r\nabc\r\n", "invalid"},
        {"10000000000000000\r\n", "invalid"},
        {"0\r\nA: b\n\r\n", "invalid"},
        {"0\r\n A: b\r\n\r\n", "invalid"},
        {"0\r\n\n", "invalid"},
        {"0\r\n\rx", "invalid"},
        {"0\r\nA: " + long_trailer + "\r\n\r\n", "invalid"},
    };
    for (const Row& row : rows) {
        EXPECT_EQ(decode(row.coded, 1 << 20, 1 << 20), row.decoded) << row.coded;
        EXPECT_EQ(decode(row.coded, 1, 64), row.decoded) << row.coded;
        EXPECT_EQ(decode(row.coded, 1 << 20, 1), row.decoded) << row.coded;
        EXPECT_EQ(decode_in_place(row.coded), row.decoded) << row.coded;
    }
}

}  // namespace
}  // namespace berth::http
