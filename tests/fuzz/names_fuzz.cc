// Repository names, tags and references: what is accepted is kept as it came, and within its
// grammar.
#include "fuzz/fuzz.h"
#include "oci/names.h"

using namespace berth;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto text = fuzz::text_of(data, size);
    if (const auto name = oci::RepositoryName::parse(text)) {
        fuzz::must(name->text() == text, "a repository name is kept as it came");
        fuzz::must(text.size() <= oci::RepositoryName::kLengthMax, "names are bounded");
        fuzz::must(!text.contains("..") && !text.contains("//") && text.front() != '/',
                   "a repository name is no path upwards");
        fuzz::must(oci::RepositoryName::parse(std::string(text) + "/a").has_value() ||
                       text.size() + 2 > oci::RepositoryName::kLengthMax,
                   "a component can be added to each name");
    }
    const auto reference = oci::parse_reference(text);
    if (reference) {
        fuzz::must(oci::text_of(*reference) == text, "a reference is kept as it came");
        fuzz::must(std::holds_alternative<oci::Digest>(*reference) == text.contains(':'),
                   "a colon makes the digest");
        fuzz::must(!text.contains('/'), "a reference is one path component");
    }
    fuzz::must(oci::Tag::parse(text).has_value() == (reference && !text.contains(':')),
               "a reference without a colon is a tag");
    return 0;
}
