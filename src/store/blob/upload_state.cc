#include "store/blob/upload_state.h"

#include <array>
#include <charconv>

#include "base/encoding.h"
#include "base/random.h"
#include "oci/hasher.h"

namespace berth::store {
namespace {

// A slot: one field a line, and the SHA-256 of all before. After that stands what an older state
// left.
constexpr std::string_view kVersion = "berth-upload 1";
enum Field {
    version,
    sequence,
    repository,
    algorithm,
    started,
    updated,
    boot,
    offset,
    hash,
    synced_offset,
    synced_hash
};
constexpr std::size_t kFields = 11;
constexpr std::size_t kChecksumLength = 64;

std::string checksum(std::string_view text) {
    return std::string(oci::digest_of(oci::Algorithm::sha256, as_bytes(text)).hex());
}

std::unexpected<Error> corrupt() {
    return fail(Errc::corrupt, "the upload's state is damaged");
}

Result<std::uint64_t> parse_number(std::string_view text) {
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size()) return corrupt();
    return number;
}

Result<Time> parse_time(std::string_view text) {
    BERTH_TRY(const auto milliseconds, parse_number(text));
    return Time(std::chrono::milliseconds(milliseconds));
}

// The hash state, if it is one and of the right algorithm.
Result<std::string> parse_hash(std::string_view text, oci::Algorithm expected) {
    const auto saved = hex_decode(text);
    if (!saved) return corrupt();
    const auto hasher = oci::Hasher::restore(*saved);
    if (!hasher || hasher->algorithm() != expected) return corrupt();
    return *saved;
}

using Fields = std::array<std::string_view, kFields>;

Result<Fields> split(std::string_view text) {
    Fields fields;
    std::string_view rest = text;
    for (auto& field : fields) {
        const auto end = rest.find('\n');
        if (end == std::string_view::npos) return corrupt();
        field = rest.substr(0, end);
        rest.remove_prefix(end + 1);
    }
    if (rest.substr(0, kChecksumLength) != checksum(text.substr(0, text.size() - rest.size())))
        return corrupt();
    if (fields[version] != kVersion) return corrupt();
    return fields;
}

Result<UploadState> parse_slot(const UploadId& id, std::string_view text,
                               std::string_view boot_id) {
    BERTH_TRY(const auto fields, split(text));
    BERTH_TRY(const auto count, parse_number(fields[sequence]));
    BERTH_TRY(auto name, oci::RepositoryName::parse(fields[repository]));
    BERTH_TRY(const auto kind, oci::parse_algorithm(fields[algorithm]));
    BERTH_TRY(const auto started_at, parse_time(fields[started]));
    BERTH_TRY(const auto updated_at, parse_time(fields[updated]));
    const bool same_kernel = !boot_id.empty() && fields[boot] == boot_id;
    BERTH_TRY(const auto kept, parse_number(fields[same_kernel ? offset : synced_offset]));
    BERTH_TRY(auto kept_hash, parse_hash(fields[same_kernel ? hash : synced_hash], kind));
    BERTH_TRY(const auto synced, parse_number(fields[synced_offset]));
    BERTH_TRY(auto hash_when_synced, parse_hash(fields[synced_hash], kind));
    return UploadState{{id, std::move(name), kind, kept, started_at, updated_at},
                       std::move(kept_hash),
                       synced,
                       std::move(hash_when_synced),
                       count};
}

}  // namespace

UploadId UploadId::make() {
    return UploadId(random_uuid());
}

Result<UploadId> UploadId::parse(std::string_view text) {
    constexpr std::string_view kForm = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
    bool good = text.size() == kForm.size();
    for (std::size_t i = 0; good && i < text.size(); ++i) {
        const bool digit = (text[i] >= '0' && text[i] <= '9') || (text[i] >= 'a' && text[i] <= 'f');
        good = kForm[i] == '-' ? text[i] == '-' : digit;
    }
    if (!good) return fail(Errc::invalid, "an upload is named by a lower-case UUID");
    return UploadId(std::string(text));
}

std::string format_state(const UploadState& state, std::string_view boot_id) {
    std::string text;
    const auto line = [&text](std::string_view field) { text.append(field).push_back('\n'); };
    line(kVersion);
    line(std::to_string(state.sequence));
    line(state.info.repository.text());
    line(name_of(state.info.algorithm));
    line(std::to_string(state.info.started_at.time_since_epoch().count()));
    line(std::to_string(state.info.updated_at.time_since_epoch().count()));
    line(boot_id);
    line(std::to_string(state.info.offset));
    line(hex_encode(as_bytes(state.hash)));
    line(std::to_string(state.synced_offset));
    line(hex_encode(as_bytes(state.synced_hash)));
    return text + checksum(text);
}

Result<UploadState> parse_state(const UploadId& id, std::string_view content,
                                std::string_view boot_id) {
    auto newest = parse_slot(id, content.substr(0, kStateSlotBytes), boot_id);
    if (content.size() <= kStateSlotBytes) return newest;
    auto other = parse_slot(id, content.substr(kStateSlotBytes), boot_id);
    if (other && (!newest || newest->sequence < other->sequence)) return other;
    return newest;
}

}  // namespace berth::store
