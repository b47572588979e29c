#include "api/explanation.h"

#include "auth/policy/actions.h"
#include "auth/token/access_tokens.h"
#include "oci/names.h"

namespace berth::api {
namespace {

using auth::Action;
using nlohmann::ordered_json;

struct Question {
    auth::Identity who;
    auth::Actions bits = 0;
    std::string repository, tag, address;
};

std::unexpected<Error> wrong(std::string detail) {
    return fail(Errc::invalid, std::move(detail));
}

Result<auth::Identity> parse_who(const http::Query& query) {
    auth::Identity who;
    who.name = query.find("user").value_or("");
    if (who.name == "anonymous") who.name.clear();
    const std::string_view kind = query.find("kind").value_or("user");
    if (kind == auth::name_of(auth::Identity::Kind::robot)) {
        who.kind = auth::Identity::Kind::robot;
    } else if (kind != auth::name_of(auth::Identity::Kind::user)) {
        return wrong("kind must be user or robot");
    }
    for (const std::string_view group : query.all("group"))
        who.groups.emplace_back(group);
    return who;
}

Result<Question> parse_question(const http::Query& query) {
    Question question;
    BERTH_TRY(question.who, parse_who(query));
    const std::string_view action = query.find("action").value_or("");
    if (action.empty()) return wrong("action must be there: pull, push, delete, …");
    BERTH_TRY(question.bits, auth::parse_action(action));
    if (const auto name = query.find("repository")) {
        BERTH_TRY(const auto repository, oci::RepositoryName::parse(*name));
        question.repository = repository.text();
    } else if ((question.bits & auth::kOnRepositories) != 0) {
        return wrong("repository must be there");
    }
    if (const auto name = query.find("tag")) {
        BERTH_TRY(const auto tag, oci::Tag::parse(*name));
        question.tag = tag.text();
    }
    question.address = query.find("address").value_or("");
    if (!question.address.empty() && !Networks::is_address(question.address)) {
        return wrong("address must be an IP address");
    }
    return question;
}

ordered_json rule_json(const auth::Explanation::RuleAnswer& answer) {
    ordered_json why = ordered_json::array();
    for (const auth::Why one : answer.whys)
        why.push_back(std::string(auth::text_of(one)));
    return {{"rule", answer.rule},
            {"effect", answer.effect == auth::Effect::allow ? "allow" : "deny"},
            {"why", std::move(why)}};
}

ordered_json decision_json(Action action, const auth::Explanation& explanation) {
    const auth::Decision& decision = explanation.decision;
    ordered_json rules = ordered_json::array();
    for (const auto& answer : explanation.rules)
        rules.push_back(rule_json(answer));
    return {{"action", std::string(auth::name_of(action))},
            {"allowed", decision.allowed},
            {"rule", decision.rule.empty() ? ordered_json(nullptr) : ordered_json(decision.rule)},
            {"reason", decision.reason},
            {"rules", std::move(rules)}};
}

}  // namespace

Reply<ordered_json> explain(const Exchange& exchange) {
    BERTH_TRY(const http::Query query,
              reply(http::Query::parse(exchange.request.query), About::administration));
    BERTH_TRY(const Question question, reply(parse_question(query), About::administration));
    const Time now = exchange.context.services.clock.now();
    ordered_json decisions = ordered_json::array();
    for (const Action action : {Action::pull, Action::create, Action::overwrite, Action::remove,
                                Action::catalog, Action::admin}) {
        if ((question.bits & auth::bit(action)) == 0) continue;
        const auth::AccessRequest request{action, question.repository, question.tag,
                                          question.address, now};
        decisions.push_back(decision_json(action, exchange.policy->explain(question.who, request)));
    }
    return ordered_json{{"decisions", std::move(decisions)}};
}

}  // namespace berth::api
