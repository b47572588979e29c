// Policies: texts of rules and grants never crash their parsers, and whatever compiles decides the
// same by the index and by looking at every rule. The lines of the input are texts; what follows
// the first empty line chooses among few words, so that rules and requests meet.
#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "auth/policy/lint.h"
#include "auth/policy/policy.h"
#include "auth/policy/subject.h"
#include "fuzz/fuzz.h"
#include "support/policy_maker.h"

using namespace berth;

namespace {

constexpr std::size_t kLinesMax = 32;
constexpr int kRequests = 8;

std::vector<std::string> lines_of(std::string_view& text) {
    std::vector<std::string> lines;
    while (!text.empty() && lines.size() < kLinesMax) {
        const std::string_view line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(line.size() + 1, text.size()));
        if (line.empty()) break;
        lines.emplace_back(line);
    }
    return lines;
}

void check(const auth::Policy& policy, const auth::Identity& who,
           const auth::AccessRequest& request) {
    const auth::Decision seen = policy.explain(who, request).decision;
    const auth::Decision found = policy.decide(who, request);
    fuzz::must(found.allowed == seen.allowed && found.rule == seen.rule &&
                   found.beyond_grants == seen.beyond_grants && found.reason == seen.reason,
               "the index finds what looking at every rule finds");
    fuzz::must(policy.allows(who, request) == seen.allowed, "allows() says what decide() says");
    fuzz::must(!(found.allowed && found.beyond_grants), "what is beyond the grants is not allowed");
}

void check_texts(const std::vector<std::string>& lines) {
    auth::Identity who{"alice", {"dev"}, "oidc", auth::Identity::Kind::oidc, "github"};
    for (const std::string& line : lines)
        who.claims["ref"] = line;
    if (auto grants = auth::Grants::parse(lines))
        who.grants = std::make_shared<auth::Grants>(std::move(*grants));
    const auto is_bad = [](const std::string& line) { return !auth::Subject::parse(line); };
    std::vector<auth::Rule> rules;
    for (const std::string& line : lines) {
        rules.push_back(
            {{}, auth::Effect::allow, {is_bad(line) ? "everyone" : line}, {"pull"}, {}, {}});
        if (auth::Glob::parse_repository(line)) rules.back().repositories = {line};
        if (auth::Glob::parse_tag(line)) rules.back().tags = {line};
        if (rules.size() % 3 == 0) rules.back().effect = auth::Effect::deny;
    }
    const auto policy = auth::Policy::compile(rules);
    fuzz::must(policy.has_value(), "what each parser takes compiles together");
    for (const std::string& line : lines) {
        for (const auto action : {auth::Action::pull, auth::Action::catalog})
            check(*policy, who, {action, line, line, line, Time{}});
    }
    auth::lint(rules, {});
}

void check_choices(std::string_view choices) {
    auth::PolicyMaker make([&choices](std::size_t n) -> std::size_t {
        if (choices.empty()) return 0;
        const auto chosen = static_cast<unsigned char>(choices.front());
        choices.remove_prefix(1);
        return chosen % n;
    });
    const auto policy = auth::Policy::compile(make.rules(16));
    fuzz::must(policy.has_value(), "rules made of good words compile");
    for (int i = 0; i < kRequests; ++i) {
        const auth::Identity who = make.identity();
        const auth::MadeRequest made = make.request();
        check(*policy, who, made.request());
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string_view text = fuzz::text_of(data, size);
    check_texts(lines_of(text));
    check_choices(text);
    return 0;
}
