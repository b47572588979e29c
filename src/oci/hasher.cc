#include "oci/hasher.h"

#include <array>
#include <cstdint>
#include <cstring>
#include <span>

#include "base/encoding.h"

// OpenSSL's EVP interface cannot save a hash state; these functions run the same SHA-NI code.
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

namespace berth::oci {
namespace {

// A saved state: version, algorithm, the chaining words, the count of bytes hashed, the bytes of
// the unfinished block, and a checksum of all that. Numbers are big-endian.
constexpr char kVersion = 1;
constexpr std::size_t kChecksumBytes = 8;

constexpr std::string_view kDamaged = "the saved hash state is damaged";

template <class Context>
struct Traits;

template <>
struct Traits<SHA256_CTX> {
    static constexpr auto kAlgorithm = Algorithm::sha256;
    static constexpr std::size_t kBlockBytes = SHA256_CBLOCK;
    static constexpr std::size_t kDigestBytes = SHA256_DIGEST_LENGTH;
    static constexpr auto kInit = SHA256_Init;
    static constexpr auto kUpdate = SHA256_Update;
    static constexpr auto kFinal = SHA256_Final;
    static auto* block(auto& context) { return &context.data; }
};

template <>
struct Traits<SHA512_CTX> {
    static constexpr auto kAlgorithm = Algorithm::sha512;
    static constexpr std::size_t kBlockBytes = SHA512_CBLOCK;
    static constexpr std::size_t kDigestBytes = SHA512_DIGEST_LENGTH;
    static constexpr auto kInit = SHA512_Init;
    static constexpr auto kUpdate = SHA512_Update;
    static constexpr auto kFinal = SHA512_Final;
    static auto* block(auto& context) { return &context.u; }
};

template <class Word>
void append_word(std::string& out, Word word) {
    for (std::size_t shift = 8 * sizeof(Word); shift > 0; shift -= 8)
        out += static_cast<char>(word >> (shift - 8) & 0xff);
}

template <class Word>
bool take_word(std::string_view& in, Word& word) {
    if (in.size() < sizeof(Word)) return false;
    word = 0;
    for (std::size_t i = 0; i < sizeof(Word); ++i)
        word = static_cast<Word>(word << 8 | static_cast<unsigned char>(in[i]));
    in.remove_prefix(sizeof(Word));
    return true;
}

// OpenSSL counts bits in two words, low and high.
std::uint64_t byte_count(const SHA256_CTX& context) {
    return (std::uint64_t{context.Nh} << 32 | context.Nl) >> 3;
}
std::uint64_t byte_count(const SHA512_CTX& context) {
    return context.Nh << 61 | context.Nl >> 3;
}
void set_byte_count(SHA256_CTX& context, std::uint64_t bytes) {
    context.Nl = static_cast<SHA_LONG>(bytes << 3);
    context.Nh = static_cast<SHA_LONG>(bytes >> 29);
}
void set_byte_count(SHA512_CTX& context, std::uint64_t bytes) {
    context.Nl = bytes << 3;
    context.Nh = bytes >> 61;
}

template <class Context>
Context begin() {
    Context context;
    Traits<Context>::kInit(&context);
    return context;
}

template <class Context>
Digest finish(Context context) {
    std::array<unsigned char, Traits<Context>::kDigestBytes> bytes{};
    Traits<Context>::kFinal(bytes.data(), &context);
    const auto algorithm = Traits<Context>::kAlgorithm;
    return *Digest::parse(std::string(name_of(algorithm)) + ':' +
                          hex_encode(std::as_bytes(std::span(bytes))));
}

template <class Context>
std::string format(const Context& context) {
    std::string out{kVersion, static_cast<char>(Traits<Context>::kAlgorithm)};
    for (const auto word : context.h)
        append_word(out, word);
    append_word(out, byte_count(context));
    out.append(reinterpret_cast<const char*>(Traits<Context>::block(context)), context.num);
    return out;
}

template <class Context>
bool parse(std::string_view in, Context& context) {
    context = begin<Context>();
    for (auto& word : context.h) {
        if (!take_word(in, word)) return false;
    }
    std::uint64_t bytes = 0;
    if (!take_word(in, bytes) || in.size() != bytes % Traits<Context>::kBlockBytes) return false;
    set_byte_count(context, bytes);
    context.num = static_cast<unsigned>(in.size());
    std::memcpy(Traits<Context>::block(context), in.data(), in.size());
    return true;
}

std::string checksum(std::string_view text) {
    return std::string(
        digest_of(Algorithm::sha256, as_bytes(text)).hex().substr(0, kChecksumBytes));
}

}  // namespace

Hasher::Hasher(Algorithm algorithm) {
    if (algorithm == Algorithm::sha256) {
        state_ = begin<SHA256_CTX>();
    } else {
        state_ = begin<SHA512_CTX>();
    }
}

Result<Hasher> Hasher::restore(std::string_view saved) {
    if (saved.size() < kChecksumBytes + 2) return fail(Errc::corrupt, std::string(kDamaged));
    const auto body = saved.substr(0, saved.size() - kChecksumBytes);
    if (saved.substr(body.size()) != checksum(body) || body[0] != kVersion)
        return fail(Errc::corrupt, std::string(kDamaged));
    const bool is_sha256 = body[1] == static_cast<char>(Algorithm::sha256);
    if (!is_sha256 && body[1] != static_cast<char>(Algorithm::sha512))
        return fail(Errc::corrupt, std::string(kDamaged));
    Hasher hasher(is_sha256 ? Algorithm::sha256 : Algorithm::sha512);
    const bool good =
        std::visit([&](auto& context) { return parse(body.substr(2), context); }, hasher.state_);
    if (!good) return fail(Errc::corrupt, std::string(kDamaged));
    return hasher;
}

Algorithm Hasher::algorithm() const {
    return std::holds_alternative<SHA256_CTX>(state_) ? Algorithm::sha256 : Algorithm::sha512;
}

void Hasher::update(Bytes bytes) {
    std::visit(
        [bytes]<class Context>(Context& context) {
            Traits<Context>::kUpdate(&context, bytes.data(), bytes.size());
        },
        state_);
}

Digest Hasher::digest() const {
    return std::visit([](const auto& context) { return finish(context); }, state_);
}

std::string Hasher::save() const {
    auto out = std::visit([](const auto& context) { return format(context); }, state_);
    return out + checksum(out);
}

Digest digest_of(Algorithm algorithm, Bytes bytes) {
    Hasher hasher(algorithm);
    hasher.update(bytes);
    return hasher.digest();
}

}  // namespace berth::oci
