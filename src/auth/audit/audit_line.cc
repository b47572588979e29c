#include "auth/audit/audit_line.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "base/encoding.h"
#include "base/log_format.h"
#include "oci/hasher.h"

namespace berth::auth {
namespace {

// A byte takes six at most (\u001f). The texts and the groups of a record together stay within
// kAuditLineMax, however they must be escaped.
constexpr std::size_t kEscapedByteMax = 6;
constexpr std::size_t kTexts = 11;
constexpr std::size_t kTextMax = 512;
constexpr std::size_t kGroupsMax = 200;
constexpr std::size_t kGroupBytesMax = 4096;
constexpr std::size_t kQuotesMax = 3;    // and a comma
constexpr std::size_t kFixedMax = 1024;  // keys, numbers, hashes
static_assert(kEscapedByteMax * (kTexts * kTextMax + kGroupBytesMax) + kQuotesMax * kGroupsMax +
                  kFixedMax <=
              kAuditLineMax);

constexpr std::string_view kMore = "…";
constexpr std::string_view kHashKey = ",\"hash\":\"";
constexpr std::string_view kLineEnd = "\"}";
constexpr std::size_t kHashLength = 64;

struct EventRow {
    AuditEvent event;
    std::string_view name;
    std::string_view number;  // the key of its number; empty: it has none
};

constexpr std::array kEvents{
    EventRow{AuditEvent::access, "access", ""},   EventRow{AuditEvent::opened, "opened", ""},
    EventRow{AuditEvent::started, "started", ""}, EventRow{AuditEvent::resumed, "resumed", "bytes"},
    EventRow{AuditEvent::lost, "lost", "count"},  EventRow{AuditEvent::stopped, "stopped", ""}};

const EventRow& row_of(AuditEvent event) {
    return *std::ranges::find(kEvents, event, &EventRow::event);
}

void cut(std::string& text, std::size_t bytes_max) {
    if (text.size() <= bytes_max) return;
    std::size_t end = bytes_max - kMore.size();
    // Not within a character.
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80)
        --end;
    text.resize(end);
    text += kMore;
}

void append_text(std::string& out, std::string_view key, std::string_view text) {
    out.append(",\"").append(key).append("\":");
    append_json_string(out, text);
}

void append_number(std::string& out, std::string_view key, std::uint64_t number) {
    out.append(",\"").append(key).append("\":").append(std::to_string(number));
}

void append_record(std::string& out, const AuditRecord& record) {
    append_text(out, "request", record.request_id);
    append_text(out, "user", record.user);
    append_text(out, "kind", record.kind);
    append_text(out, "proof", record.proof);
    out += ",\"groups\":[";
    for (const std::string& group : record.groups) {
        if (&group != record.groups.data()) out += ',';
        append_json_string(out, group);
    }
    out += ']';
    append_text(out, "address", record.address);
    append_text(out, "method", record.method);
    append_text(out, "action", record.action);
    append_text(out, "repository", record.repository);
    append_text(out, "reference", record.reference);
    append_text(out, "rule", record.rule);
    out += record.allowed ? ",\"allowed\":true" : ",\"allowed\":false";
    append_number(out, "status", static_cast<unsigned>(record.status));
    append_text(out, "reason", record.reason);
}

// What the hash is over.
void append_hashed(std::string& out, const AuditLine& line) {
    out += "{\"seq\":" + std::to_string(line.seq);
    append_text(out, "prev", line.prev);
    append_text(out, "at", format_rfc3339(line.record.at));
    const EventRow& row = row_of(line.event);
    append_text(out, "event", row.name);
    if (line.event == AuditEvent::access) append_record(out, line.record);
    if (!row.number.empty()) append_number(out, row.number, line.number);
}

std::string hash_of(std::string_view text) {
    return std::string(oci::digest_of(oci::Algorithm::sha256, as_bytes(text)).hex());
}

// Reads what append_hashed() writes, and more: that nothing else stands there is known by writing
// it again.
class Reader {
  public:
    explicit Reader(std::string_view text) : rest_(text) {}

    bool take(std::string_view literal) {
        if (!rest_.starts_with(literal)) return false;
        rest_.remove_prefix(literal.size());
        return true;
    }
    bool take_key(std::string_view key) { return take(",\"") && take(key) && take("\":"); }

    template <class Number>
    bool take_number(Number& number) {
        const auto [end, error] =
            std::from_chars(rest_.data(), rest_.data() + rest_.size(), number);
        if (error != std::errc()) return false;
        rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
        return true;
    }

    bool take_string(std::string& text) {
        if (!take("\"")) return false;
        for (;;) {
            const std::size_t plain = rest_.find_first_of("\"\\");
            if (plain == std::string_view::npos) return false;
            text += rest_.substr(0, plain);
            rest_.remove_prefix(plain);
            if (take("\"")) return true;
            if (!take_escape(text)) return false;
        }
    }
    bool take_text(std::string_view key, std::string& text) {
        return take_key(key) && take_string(text);
    }

    bool take_strings(std::vector<std::string>& texts) {
        if (!take("[")) return false;
        if (take("]")) return true;
        do {
            if (!take_string(texts.emplace_back())) return false;
        } while (take(","));
        return take("]");
    }

    bool take_flag(bool& flag) {
        flag = take("true");
        return flag || take("false");
    }

  private:
    bool take_escape(std::string& text) {
        constexpr std::string_view kLetters = "\"\\nrt";
        constexpr std::string_view kMeanings = "\"\\\n\r\t";
        rest_.remove_prefix(1);
        if (take("u00")) {
            const auto byte = hex_decode(rest_.substr(0, 2));
            if (!byte || byte->size() != 1) return false;
            rest_.remove_prefix(2);
            text += *byte;
            return true;
        }
        const std::size_t letter =
            rest_.empty() ? std::string_view::npos : kLetters.find(rest_.front());
        if (letter == std::string_view::npos) return false;
        rest_.remove_prefix(1);
        text += kMeanings[letter];
        return true;
    }

    std::string_view rest_;
};

bool read_event(Reader& reader, AuditEvent& event) {
    std::string name;
    if (!reader.take_text("event", name)) return false;
    const auto* const row = std::ranges::find(kEvents, std::string_view(name), &EventRow::name);
    if (row == kEvents.end()) return false;
    event = row->event;
    return true;
}

bool read_record(Reader& reader, AuditRecord& record) {
    return reader.take_text("request", record.request_id) &&
           reader.take_text("user", record.user) && reader.take_text("kind", record.kind) &&
           reader.take_text("proof", record.proof) && reader.take_key("groups") &&
           reader.take_strings(record.groups) && reader.take_text("address", record.address) &&
           reader.take_text("method", record.method) && reader.take_text("action", record.action) &&
           reader.take_text("repository", record.repository) &&
           reader.take_text("reference", record.reference) &&
           reader.take_text("rule", record.rule) && reader.take_key("allowed") &&
           reader.take_flag(record.allowed) && reader.take_key("status") &&
           reader.take_number(record.status) && reader.take_text("reason", record.reason);
}

bool read_hashed(std::string_view text, AuditLine& line) {
    Reader reader(text);
    std::string at;
    if (!reader.take("{\"seq\":") || !reader.take_number(line.seq) ||
        !reader.take_text("prev", line.prev) || !reader.take_text("at", at) ||
        !read_event(reader, line.event)) {
        return false;
    }
    const auto time = parse_rfc3339(at);
    if (!time) return false;
    line.record.at = *time;
    if (line.event == AuditEvent::access) return read_record(reader, line.record);
    const std::string_view number = row_of(line.event).number;
    return number.empty() || (reader.take_key(number) && reader.take_number(line.number));
}

bool is_hash(std::string_view text) {
    return text.size() == kHashLength && std::ranges::all_of(text, [](char c) {
               return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
           });
}

}  // namespace

std::string_view name_of(AuditEvent event) {
    return row_of(event).name;
}

std::string first_audit_hash() {
    return std::string(kHashLength, '0');
}

void trim(AuditRecord& record) {
    for (std::string* text : {&record.request_id, &record.user, &record.kind, &record.proof,
                              &record.address, &record.method, &record.action, &record.repository,
                              &record.reference, &record.rule, &record.reason}) {
        cut(*text, kTextMax);
    }
    std::size_t bytes = kMore.size();
    for (std::size_t i = 0; i < record.groups.size(); ++i) {
        cut(record.groups[i], kTextMax);
        bytes += record.groups[i].size();
        if (bytes <= kGroupBytesMax && i + 1 < kGroupsMax) continue;
        record.groups.resize(i);
        record.groups.emplace_back(kMore);
    }
}

std::string append_audit_line(std::string& out, const AuditLine& line) {
    const std::size_t begin = out.size();
    append_hashed(out, line);
    std::string hash = hash_of(std::string_view(out).substr(begin));
    out.append(kHashKey).append(hash).append(kLineEnd).append("\n");
    return hash;
}

Result<AuditLine> read_audit_line(std::string_view text) {
    if (text.size() > kAuditLineMax) return fail(Errc::corrupt, "the line is too long");
    constexpr std::size_t kTail = kHashKey.size() + kHashLength + kLineEnd.size();
    const auto no_line = [] { return fail(Errc::corrupt, "no line of an audit log"); };
    if (text.size() < kTail || !text.ends_with(kLineEnd)) return no_line();
    const std::string_view hashed = text.substr(0, text.size() - kTail);
    const std::string_view tail = text.substr(hashed.size());
    AuditLine line;
    line.hash = tail.substr(kHashKey.size(), kHashLength);
    if (!tail.starts_with(kHashKey) || !is_hash(line.hash)) return no_line();
    if (hash_of(hashed) != line.hash) {
        return fail(Errc::corrupt, "the line was changed: its hash is of another text");
    }
    if (!read_hashed(hashed, line) || !is_hash(line.prev) || line.seq == 0) return no_line();
    std::string again;
    append_hashed(again, line);
    if (again != hashed) return no_line();
    return line;
}

Result<AuditRecord> parse_audit_line(std::string_view text) {
    BERTH_TRY(AuditLine line, read_audit_line(text));
    return std::move(line.record);
}

}  // namespace berth::auth
