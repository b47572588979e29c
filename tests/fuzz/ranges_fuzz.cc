// Ranges, entity tags and queries: what is granted lies within the representation, and a query that
// is taken was well-formed.
//
// The first byte is the representation's size.
#include "fuzz/fuzz.h"
#include "http/range.h"
#include "http/target.h"

using namespace berth;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const std::uint64_t length = data[0];
    const auto text = fuzz::text_of(data, size).substr(1);

    const auto range = http::parse_range(text, length);
    if (range && *range) {
        fuzz::must((*range)->size > 0, "a range has bytes");
        fuzz::must((*range)->offset < length, "a range begins within");
        fuzz::must((*range)->size <= length - (*range)->offset, "a range ends within");
    }
    if (!range) fuzz::must(range.error().code == Errc::out_of_range, "or it is past the end");

    const auto chunk = http::parse_chunk_range(text);
    if (chunk) {
        fuzz::must(chunk->size > 0, "a chunk has bytes");
        fuzz::must(std::to_string(chunk->offset).size() <= text.find('-'), "it begins as written");
    }
    if (text.find("tag") == text.npos) {
        fuzz::must(!http::names_etag(text, "tag") || text.find('*') != text.npos,
                   "a tag that is not there is not named");
    }
    const auto query = http::Query::parse(text);
    if (!query) fuzz::must(text.find('%') != text.npos, "only an escape can be malformed");
    return 0;
}
