#include <charconv>
#include <deque>
#include <memory>
#include <nlohmann/json.hpp>

#include "auth/audit/audit_file.h"
#include "auth/audit/audit_verify.h"
#include "auth/policy/glob.h"
#include "base/encoding.h"
#include "cli/commands.h"
#include "cli/terminal.h"

namespace berth::cli {

namespace {

using Json = nlohmann::ordered_json;

struct Arguments {
    std::vector<std::string> files;
    std::string config;
    bool as_json = false;

    std::string expect;

    std::string user;
    std::string since;
    std::string repository;
    bool denied = false;
    std::size_t count = 50;
};

// The named ones, or the configured log with its rotated files, oldest first.
Result<std::vector<std::string>> files_of(const Arguments& arguments) {
    if (!arguments.files.empty()) return arguments.files;
    BERTH_TRY(const auto config, command_config(arguments.config, app::NamedFiles::may_be_missing));
    if (!config.audit || config.audit->path.empty()) {
        return fail(Errc::invalid,
                    "the configuration has no audit.path: add one, or name the files");
    }
    return auth::audit_files(config.audit->path);
}

std::string plural(std::uint64_t count, std::string_view noun) {
    return std::to_string(count) + " " + std::string(noun) + (count == 1 ? "" : "s");
}

void print_verdict(const auth::AuditVerdict& verdict, std::size_t files) {
    print("whole: " + plural(verdict.lines, "line") + " in " + plural(files, "file") + ", number " +
          std::to_string(verdict.first) + " to " + std::to_string(verdict.last));
    if (verdict.first > 1) {
        print("the lines before number " + std::to_string(verdict.first) +
              " are in files that are no longer there");
    }
    if (verdict.lost > 0) print("lost, as the log itself says: " + plural(verdict.lost, "record"));
    print("head: " + verdict.head);
}

Result<void> verify(const Arguments& arguments) {
    BERTH_TRY(const auto files, files_of(arguments));
    auto verdict = auth::verify_audit(files, arguments.expect);
    if (!arguments.as_json) {
        if (!verdict) return std::unexpected(std::move(verdict.error()));
        print_verdict(*verdict, files.size());
        return {};
    }
    Json out{{"whole", verdict.has_value()}, {"files", files}};
    if (verdict) {
        out["lines"] = verdict->lines;
        out["first"] = verdict->first;
        out["last"] = verdict->last;
        out["lost"] = verdict->lost;
        out["head"] = verdict->head;
    } else {
        out["problem"] = verdict.error().detail;
    }
    print(out.dump(2));
    if (!verdict) return std::unexpected(std::move(verdict.error()));
    return {};
}

// 30m, 12h, 7d before now, or a moment as the log writes it, or only its day.
Result<Time> parse_since(const std::string& text, Time now) {
    if (const auto time = parse_rfc3339(text)) return *time;
    if (const auto day = parse_rfc3339(text + "T00:00:00Z")) return *day;
    unsigned number = 0;
    const char* const end = text.data() + text.size();
    const auto [unit, error] = std::from_chars(text.data(), end, number);
    if (error == std::errc() && end - unit == 1) {
        if (*unit == 'm') return now - std::chrono::minutes(number);
        if (*unit == 'h') return now - std::chrono::hours(number);
        if (*unit == 'd') return now - std::chrono::days(number);
    }
    return fail(Errc::invalid, "--since takes 30m, 12h, 7d, 2026-11-24 or 2026-11-24T13:44:07Z");
}

// Which records are wanted.
class Filter {
  public:
    static Result<Filter> make(const Arguments& arguments, Time now) {
        Filter filter(arguments);
        if (!arguments.since.empty()) {
            BERTH_TRY(filter.since_, parse_since(arguments.since, now));
        }
        if (!arguments.repository.empty()) {
            BERTH_TRY(filter.repository_, auth::Glob::parse_repository(arguments.repository));
        }
        return filter;
    }

    bool wants(const auth::AuditRecord& record) const {
        if (record.at < since_ || (denied_ && record.allowed)) return false;
        if (!user_.empty() && record.user != user_) return false;
        return !repository_ || repository_->matches(record.repository, record.user);
    }

  private:
    explicit Filter(const Arguments& arguments)
        : user_(arguments.user), denied_(arguments.denied) {}

    std::string user_;
    bool denied_;
    Time since_{};
    std::optional<auth::Glob> repository_;
};

struct Shown {
    auth::AuditRecord record;
    std::string line;
};

// The last `count` that are wanted; 0: all. What stands before a line that cannot be read is there
// after an error, too.
Result<void> collect(const std::vector<std::string>& files, const Filter& filter, std::size_t count,
                     std::deque<Shown>& shown) {
    const auto take = [&](std::string_view line) -> Result<void> {
        BERTH_TRY(auto read, auth::read_audit_line(line));
        if (read.event != auth::AuditEvent::access || !filter.wants(read.record)) return {};
        shown.push_back({std::move(read.record), std::string(line)});
        if (count > 0 && shown.size() > count) shown.pop_front();
        return {};
    };
    for (const std::string& file : files) {
        BERTH_CHECK(auth::each_audit_line(file, [&](std::string_view line, std::uint64_t number) {
            auto taken = take(line);
            if (taken) return taken;
            return Result<void>(std::unexpected(
                std::move(taken.error()).with_context(file + " line " + std::to_string(number))));
        }));
    }
    return {};
}

std::string target_of(const auth::AuditRecord& record) {
    if (record.reference.empty()) return plain_text(record.repository);
    const bool is_digest = record.reference.contains(':');
    return plain_text(record.repository + (is_digest ? "@" : ":") + record.reference);
}

std::string answer_of(const auth::AuditRecord& record) {
    return std::to_string(record.status) + (record.allowed ? "" : " denied");
}

Result<void> show(const Arguments& arguments) {
    const SystemClock clock;
    BERTH_TRY(const auto filter, Filter::make(arguments, clock.now()));
    BERTH_TRY(const auto files, files_of(arguments));
    std::deque<Shown> shown;
    auto collected = collect(files, filter, arguments.count, shown);
    if (arguments.as_json) {
        for (const Shown& each : shown)
            print(each.line);
        return collected;
    }
    Table table({"time", "user", "by", "address", "action", "image", "answer", "rule"});
    for (const auto& [record, line] : shown) {
        table.add({human_time(record.at), record.user.empty() ? "-" : plain_text(record.user),
                   plain_text(record.proof), plain_text(record.address), plain_text(record.action),
                   target_of(record), answer_of(record),
                   plain_text(record.rule.empty() ? record.reason : record.rule)});
    }
    table.print();
    return collected;
}

CLI::App* add_command(CLI::App& audit, const char* name, const char* description,
                      const std::shared_ptr<Arguments>& arguments, Run& run,
                      Result<void> (*action)(const Arguments&)) {
    auto* command = audit.add_subcommand(name, description);
    command->add_option("FILE", arguments->files,
                        "files of the log, oldest first (default: as configured)");
    add_config_option(*command, arguments->config);
    command->callback(
        [arguments, action, &run] { run = [arguments, action] { return action(*arguments); }; });
    return command;
}

}  // namespace

void add_audit(CLI::App& app, Run& run) {
    auto* audit = app.add_subcommand("audit", "who did what: the audit log");
    audit->require_subcommand(1);
    const auto arguments = std::make_shared<Arguments>();

    auto* check = add_command(*audit, "verify", "say whether the log is as it was written",
                              arguments, run, verify);
    check->add_option("--expect", arguments->expect,
                      "a hash noted before, which one of the lines must have");
    check->add_flag("--json", arguments->as_json, "print JSON");
    check->footer(
        "Finds lines that were changed, removed, inserted or moved. That the last lines are gone, "
        "or that all was written anew, shows only with --expect: note the head that this prints, "
        "on another machine.\nEnds with 1 when the log is not whole.");

    auto* print_command =
        add_command(*audit, "show", "print the log for people", arguments, run, show);
    print_command->add_option("--user", arguments->user, "only what this user did");
    print_command->add_option("--since", arguments->since,
                              "30m, 12h, 7d, 2026-11-24 or 2026-11-24T13:44:07Z");
    print_command->add_option("--repository", arguments->repository,
                              "only this repository, or a pattern like 'team/**'");
    print_command->add_flag("--denied", arguments->denied, "only what was refused");
    print_command->add_option("-n", arguments->count, "so many of the last; 0: all")
        ->capture_default_str();
    print_command->add_flag("--json", arguments->as_json, "print the lines as they are");
}

}  // namespace berth::cli
