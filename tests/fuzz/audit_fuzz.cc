// Lines of the audit log: no text crashes the reader, what is read is what would be written, and a
// record of any bytes becomes a line that is read again.
#include <openssl/sha.h>

#include "auth/audit/audit_line.h"
#include "base/encoding.h"
#include "fuzz/fuzz.h"

using namespace berth;

namespace {

void check_line(std::string_view text) {
    const auto line = auth::read_audit_line(text);
    if (!line) return;
    std::string again;
    const std::string hash = auth::append_audit_line(again, *line);
    fuzz::must(again == std::string(text) + "\n", "a line has one text");
    fuzz::must(hash == line->hash, "a line's hash is its text's");
}

// Nobody guesses hashes: given the right one, the form decides.
std::string with_hash(std::string_view hashed) {
    unsigned char hash[SHA256_DIGEST_LENGTH];
    SHA256(reinterpret_cast<const unsigned char*>(hashed.data()), hashed.size(), hash);
    return std::string(hashed) + ",\"hash\":\"" + hex_encode(std::as_bytes(std::span(hash))) +
           "\"}";
}

void check_record(std::string_view text) {
    auth::AuditLine line;
    line.seq = 1;
    line.prev = auth::first_audit_hash();
    line.event = auth::AuditEvent::access;
    line.record.user = text;
    line.record.rule = text.substr(text.size() / 2);
    for (std::size_t i = 0; i < text.size(); i += 7)
        line.record.groups.emplace_back(text.substr(i, text.size() % 31));
    auth::trim(line.record);
    std::string written;
    auth::append_audit_line(written, line);
    fuzz::must(written.find('\n') == written.size() - 1, "a record is one line");
    written.pop_back();
    fuzz::must(written.size() <= auth::kAuditLineMax, "lines are bounded");
    fuzz::must(auth::read_audit_line(written).has_value(), "a record's line is read again");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto text = fuzz::text_of(data, size);
    check_line(text);
    check_line(with_hash(text));
    check_record(text);
    return 0;
}
