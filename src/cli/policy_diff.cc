// `berth policy diff NEW.yml`: the requests of the audit log, put to another configuration's
// policy.
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <tuple>

#include "app/policy.h"
#include "auth/audit/audit_file.h"
#include "auth/audit/audit_line.h"
#include "auth/audit/audit_verify.h"
#include "cli/policy_commands.h"
#include "cli/policy_question.h"
#include "cli/terminal.h"
#include "oci/names.h"
#include "store/blob/blob_store.h"

namespace berth::cli {

namespace {

struct Arguments {
    std::string next;
    std::vector<std::string> files;
    std::string config;
    bool as_json = false;
};

struct Answer {
    bool allowed = false;
    std::string rule;

    auto operator<=>(const Answer&) const = default;
};

std::string text_of(const Answer& answer) {
    if (answer.rule.empty()) return answer.allowed ? "allowed" : "denied";
    return (answer.allowed ? "allowed by '" : "denied by '") + answer.rule + "'";
}

// What would change, in one line.
struct Change {
    std::string user, kind, action, repository, tag;
    Answer before, after;

    auto operator<=>(const Change&) const = default;
};

struct Replay {
    std::map<Change, std::uint64_t> changes;
    std::uint64_t requests = 0;
    std::uint64_t workloads = 0;  // left out

    void add(const auth::AuditRecord& record, const auth::Policy& next);
};

PolicyQuestion question_of(const auth::AuditRecord& record) {
    PolicyQuestion question;
    question.who.name = record.user;
    question.who.groups = record.groups;
    question.who.proof = record.proof;
    if (record.kind == "robot") question.who.kind = auth::Identity::Kind::robot;
    question.repository = record.repository;
    // Else it is a digest, or an upload.
    const bool is_upload = store::UploadId::parse(record.reference).has_value();
    if (!is_upload && oci::Tag::parse(record.reference)) question.tag = record.reference;
    question.address = record.address;
    question.at = record.at;
    return question;
}

void Replay::add(const auth::AuditRecord& record, const auth::Policy& next) {
    const auto actions = actions_of(record.action);
    if (!actions || actions->size() != 1) return;  // a login
    // The log does not keep the claims that decide about a workload, nor what limits a token.
    if (record.kind == "oidc") {
        ++workloads;
        return;
    }
    if (!record.allowed && record.reason.starts_with(auth::kBeyondGrants)) return;
    ++requests;
    const PolicyQuestion question = question_of(record);
    const auto decision = next.decide(question.who, question.request(actions->front()));
    if (decision.allowed == record.allowed) return;
    ++changes[{record.user,
               record.kind,
               record.action,
               record.repository,
               question.tag,
               {record.allowed, record.rule},
               {decision.allowed, decision.rule}}];
}

Result<std::vector<std::string>> files_of(const Arguments& arguments) {
    if (!arguments.files.empty()) return arguments.files;
    BERTH_TRY(const auto config, command_config(arguments.config, app::NamedFiles::may_be_missing));
    if (!config.audit || config.audit->path.empty()) {
        return fail(Errc::invalid,
                    "the configuration has no audit.path: name the log's files with --audit");
    }
    return auth::audit_files(config.audit->path);
}

Result<void> replay_file(const std::string& file, const auth::Policy& next, Replay& replay) {
    return auth::each_audit_line(
        file, [&](std::string_view line, std::uint64_t number) -> Result<void> {
            auto record = auth::parse_audit_line(line);
            if (!record) {
                return std::unexpected(std::move(record.error())
                                           .with_context(file + " line " + std::to_string(number)));
            }
            replay.add(*record, next);
            return {};
        });
}

nlohmann::ordered_json json_of(const Answer& answer) {
    using Json = nlohmann::ordered_json;
    return {{"allowed", answer.allowed},
            {"rule", answer.rule.empty() ? Json(nullptr) : Json(answer.rule)}};
}

void print_json(const Replay& replay) {
    auto changes = nlohmann::ordered_json::array();
    for (const auto& [change, count] : replay.changes) {
        changes.push_back({{"count", count},
                           {"user", change.user},
                           {"kind", change.kind},
                           {"action", change.action},
                           {"repository", change.repository},
                           {"tag", change.tag},
                           {"before", json_of(change.before)},
                           {"after", json_of(change.after)}});
    }
    print(nlohmann::ordered_json{{"requests", replay.requests},
                                 {"left_out", replay.workloads},
                                 {"changes", std::move(changes)}}
              .dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
}

void print_table(const Replay& replay) {
    if (replay.workloads > 0) {
        print(std::to_string(replay.workloads) +
              " requests of OIDC workloads left out: the log does not keep their claims");
    }
    if (replay.changes.empty()) {
        print(std::to_string(replay.requests) + " requests, all answered as before");
        return;
    }
    Table table({"count", "user", "action", "image", "before", "after"});
    for (const auto& [change, count] : replay.changes) {
        const std::string who = change.user.empty() ? "anonymous" : change.user;
        table.add({std::to_string(count),
                   plain_text((change.kind == "robot" ? "robot " : "") + who), change.action,
                   plain_text(target_for_people(change.repository, change.tag)),
                   plain_text(text_of(change.before)), text_of(change.after)});
    }
    table.print();
}

Result<void> diff(const Arguments& arguments) {
    BERTH_TRY(const auto config, command_config(arguments.next, app::NamedFiles::may_be_missing));
    BERTH_TRY(const auto next, app::make_policy(config));
    BERTH_TRY(const auto files, files_of(arguments));
    Replay replay;
    for (const std::string& file : files)
        BERTH_CHECK(replay_file(file, next, replay));
    arguments.as_json ? print_json(replay) : print_table(replay);
    if (replay.changes.empty()) return {};
    std::uint64_t count = 0;
    for (const auto& [change, requests] : replay.changes)
        count += requests;
    return fail(Errc::conflict, std::to_string(count) + " of " + std::to_string(replay.requests) +
                                    " requests would be answered otherwise");
}

}  // namespace

void add_policy_diff(CLI::App& policy, Run& run) {
    const auto arguments = std::make_shared<Arguments>();
    auto* command = policy.add_subcommand(
        "diff", "say which requests of the audit log a new policy would answer otherwise");
    command->add_option("NEW.yml", arguments->next, "the configuration with the new policy")
        ->required();
    command
        ->add_option("--audit", arguments->files,
                     "a file of the audit log; may be repeated (default: as configured)")
        ->allow_extra_args(false);
    command->add_flag("--json", arguments->as_json, "print JSON");
    add_config_option(*command, arguments->config);
    command->footer("Ends with 1 when an answer would change.");
    command->callback([arguments, &run] { run = [arguments] { return diff(*arguments); }; });
}

}  // namespace berth::cli
