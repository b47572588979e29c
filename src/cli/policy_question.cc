#include "cli/policy_question.h"

#include "auth/policy/actions.h"
#include "base/encoding.h"
#include "base/networks.h"

namespace berth::cli {

Result<std::vector<auth::Action>> actions_of(const std::string& word) {
    using auth::Action;
    BERTH_TRY(const auth::Actions bits, auth::parse_action(word));
    std::vector<Action> actions;
    for (const auto action : {Action::pull, Action::create, Action::overwrite, Action::remove,
                              Action::catalog, Action::admin}) {
        if ((bits & auth::bit(action)) != 0) actions.push_back(action);
    }
    return actions;
}

Result<Time> parse_moment(const std::string& text) {
    if (const auto time = parse_rfc3339(text)) return *time;
    if (const auto day = parse_rfc3339(text + "T00:00:00Z")) return *day;
    return fail(Errc::invalid, "'" + text +
                                   "' is no time: write a day such as 2027-01-31, or "
                                   "2027-01-31T12:00:00Z");
}

Result<std::string> parse_address(const std::string& text) {
    if (Networks::is_address(text)) return text;
    return fail(Errc::invalid, "'" + text + "' is no IP address");
}

Result<std::pair<std::string, std::string>> parse_claim(const std::string& text) {
    const auto equals = text.find('=');
    if (equals == 0 || equals == std::string::npos)
        return fail(Errc::invalid, "'" + text + "' is no claim: write NAME=VALUE");
    return std::pair(text.substr(0, equals), text.substr(equals + 1));
}

void make_workload(auth::Identity& who, const std::string& provider) {
    who.kind = auth::Identity::Kind::oidc;
    who.provider = provider;
    if (who.anonymous()) {
        const auto subject = who.claims.find("sub");
        who.name = provider + ":" + (subject == who.claims.end() ? "-" : subject->second);
    }
}

std::string name_for_people(const auth::Identity& who) {
    if (who.anonymous()) return "anonymous callers";
    return (who.kind == auth::Identity::Kind::robot ? "robot " : "") + who.name;
}

std::string target_for_people(const std::string& repository, const std::string& tag) {
    return repository + (tag.empty() ? "" : ":" + tag);
}

}  // namespace berth::cli
