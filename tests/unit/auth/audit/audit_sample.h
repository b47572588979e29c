// What the tests of the audit log share: a record, files as texts, a log with a clock of its own.
#pragma once

#include <fstream>
#include <iterator>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "auth/audit/audit_log.h"
#include "support/fake_clock.h"
#include "support/temporary_directory.h"

namespace berth::auth {

inline AuditRecord sample_record(std::string user = "alice") {
    AuditRecord record;
    record.at = Time(std::chrono::sys_days(std::chrono::year(2026) / 11 / 24)) +
                std::chrono::milliseconds(49447208);
    record.request_id = "r-1";
    record.user = std::move(user);
    record.kind = "user";
    record.proof = "htpasswd";
    record.groups = {"dev", "ops"};
    record.address = "10.0.0.7";
    record.method = "PUT";
    record.action = "create";
    record.repository = "team/app";
    record.reference = "1.0";
    record.rule = "devs push";
    record.allowed = true;
    record.status = 201;
    return record;
}

inline std::string read_text(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

inline void write_text(const std::string& path, std::string_view text) {
    std::ofstream(path, std::ios::binary) << text;
}

inline std::vector<std::string> lines_of(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::vector<std::string> lines;
    for (std::string line; std::getline(file, line);)
        lines.push_back(line);
    return lines;
}

// The lines' events, and of records the users: `opened started alice stopped`.
inline std::string story_of(const std::string& path) {
    std::string story;
    for (const std::string& text : lines_of(path)) {
        const auto line = read_audit_line(text);
        if (!story.empty()) story += ' ';
        if (!line) {
            story += "BAD";
        } else if (line->event == AuditEvent::access) {
            story += line->record.user;
        } else {
            story += name_of(line->event);
        }
    }
    return story;
}

// A log in a directory of its own.
struct AuditPlace {
    TemporaryDirectory directory;
    FakeClock clock;
    std::mutex mutex;
    std::vector<std::string> reported;
    AuditOptions options{.path = directory.file("audit.log")};

    const std::string& path() const { return options.path; }
    std::string rotated(int number) const { return path() + "." + std::to_string(number); }
    Result<std::unique_ptr<AuditLog>> open() {
        return AuditLog::open(options, clock, [this](const Error& error) {
            const std::lock_guard lock(mutex);
            reported.push_back(error.detail);
        });
    }
    // Opens it, records what these did, and ends it in good order.
    void run(const std::vector<std::string>& users) {
        const auto log = open();
        if (!log) throw std::runtime_error(log.error().detail);
        for (const std::string& user : users)
            (*log)->record(sample_record(user));
    }
};

}  // namespace berth::auth
