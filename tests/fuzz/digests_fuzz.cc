// Digests, and hash states that come back from disk: only what was saved is restored, and hashing
// goes on from there as if it had never stopped.
#include "fuzz/fuzz.h"
#include "oci/digest.h"
#include "oci/hasher.h"

using namespace berth;

namespace {

void check_parse(std::string_view text) {
    const auto digest = oci::Digest::parse(text);
    if (!digest) return;
    fuzz::must(digest->text() == text, "a digest is kept as it came");
    fuzz::must(
        std::string(oci::name_of(digest->algorithm())) + ':' + std::string(digest->hex()) == text,
        "a digest is its algorithm and its hex digits");
}

void check_restore(std::string_view saved) {
    const auto hasher = oci::Hasher::restore(saved);
    if (hasher) fuzz::must(hasher->save() == saved, "a restored state saves as it came");
}

// The first byte says where the bytes are cut.
void check_hash(std::string_view text, oci::Algorithm algorithm) {
    const auto cut = text.empty() ? 0 : static_cast<unsigned char>(text.front()) % text.size();
    oci::Hasher hasher(algorithm);
    hasher.update(as_bytes(text.substr(0, cut)));
    auto restored = oci::Hasher::restore(hasher.save());
    fuzz::must(restored.has_value(), "a saved state is restored");
    restored->update(as_bytes(text.substr(cut)));
    fuzz::must(restored->digest() == oci::digest_of(algorithm, as_bytes(text)),
               "hashing goes on as if never stopped");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto text = fuzz::text_of(data, size);
    check_parse(text);
    check_restore(text);
    check_hash(text, oci::Algorithm::sha256);
    check_hash(text, oci::Algorithm::sha512);
    return 0;
}
