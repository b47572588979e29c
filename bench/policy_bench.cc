// What a decision costs under large policies: 10,000 rules and 1,000 groups, in the shapes that
// large policies have. `bench/policy` builds and runs it.
#include <benchmark/benchmark.h>

#include <string>
#include <utility>
#include <vector>

#include "auth/policy/policy.h"

namespace berth::auth {
namespace {

constexpr std::size_t kRules = 10'000;
constexpr std::size_t kGroups = 1'000;

std::string numbered(std::string_view text, std::size_t number) {
    return std::string(text) + std::to_string(number);
}

Rule rule(Effect effect, std::string subject, std::vector<std::string> actions,
          std::vector<std::string> repositories, std::vector<std::string> tags = {}) {
    return {{},
            effect,
            {std::move(subject)},
            std::move(actions),
            std::move(repositories),
            std::move(tags)};
}

template <class Make>
Policy policy_of(const Make& make) {
    std::vector<Rule> rules;
    for (std::size_t i = 0; i < kRules; ++i)
        rules.push_back(make(i));
    return *Policy::compile(std::move(rules));
}

// In `count` of the groups, spread over all.
Identity member(std::size_t count) {
    Identity who{"alice", {}, "ldap"};
    for (std::size_t i = 0; i < count; ++i)
        who.groups.push_back(numbered("department-", i * kGroups / count));
    return who;
}

std::string group(std::size_t i) {
    return numbered("group:department-", i % kGroups);
}

void measure(benchmark::State& state, const Policy& policy, const Identity& who,
             const AccessRequest& request, bool allowed) {
    if (policy.allows(who, request) != allowed) state.SkipWithError("decided otherwise");
    for (auto step : state) {
        static_cast<void>(step);
        benchmark::DoNotOptimize(policy.allows(who, request));
    }
}

const std::vector<std::string> kUse{"pull", "push", "delete"};

// Ten repositories for each group.
void groups_with_prefixes(benchmark::State& state) {
    const Policy policy = policy_of([](std::size_t i) {
        return rule(Effect::allow, group(i), kUse,
                    {numbered("team-", i / 10) + "/app-" + std::to_string(i % 10) + "/**"});
    });
    const Identity who = member(static_cast<std::size_t>(state.range(0)));
    measure(state, policy, who, {Action::create, "team-0/app-0/web", "1.0"}, true);
}
BENCHMARK(groups_with_prefixes)->Arg(1)->Arg(20)->Arg(50);

// The same, and the answer is no.
void groups_without_rights(benchmark::State& state) {
    const Policy policy = policy_of([](std::size_t i) {
        return rule(Effect::allow, group(i), kUse, {numbered("team-", i % kGroups) + "/**"});
    });
    const Identity who = member(static_cast<std::size_t>(state.range(0)));
    measure(state, policy, who, {Action::create, "team-999/app", "1.0"}, false);
}
BENCHMARK(groups_without_rights)->Arg(1)->Arg(20)->Arg(50);

// Rules that differ by their user only.
void users(benchmark::State& state) {
    const Policy policy = policy_of([](std::size_t i) {
        return rule(Effect::allow, numbered("user:user-", i), kUse, {"shared/**"});
    });
    Identity who = member(50);
    who.name = "user-9999";
    measure(state, policy, who, {Action::create, "shared/app", "1.0"}, true);
}
BENCHMARK(users);

// Rules for everybody that differ by how the repository starts, or ends.
void starts(benchmark::State& state) {
    const Policy policy = policy_of([](std::size_t i) {
        return rule(Effect::allow, "authenticated", kUse, {numbered("team-", i) + "/*"});
    });
    measure(state, policy, member(50), {Action::create, "team-9999/app", "1.0"}, true);
}
BENCHMARK(starts);

void ends(benchmark::State& state) {
    const Policy policy = policy_of([](std::size_t i) {
        return rule(Effect::allow, "authenticated", kUse, {numbered("**/app-", i)});
    });
    measure(state, policy, member(50), {Action::create, "some/team/app-9999", "1.0"}, true);
}
BENCHMARK(ends);

// One release each that must not be overwritten, under one rule that allows everything.
void denials(benchmark::State& state) {
    const Policy policy = policy_of([](std::size_t i) {
        if (i == 0) return rule(Effect::allow, "authenticated", kUse, {});
        return rule(Effect::deny, "everyone", {"overwrite"}, {numbered("prod/app-", i)}, {"v*"});
    });
    measure(state, policy, member(50), {Action::overwrite, "prod/app-9999", "next"}, true);
}
BENCHMARK(denials);

// Conditions on the claims of workloads, a rule for each repository of theirs.
void workloads(benchmark::State& state) {
    const Policy policy = policy_of([](std::size_t i) {
        return rule(Effect::allow,
                    "oidc:github repo=" + numbered("org/app-", i) + " ref=refs/heads/main", kUse,
                    {"ci/**"});
    });
    Identity who{"github:repo", {}, "oidc", Identity::Kind::oidc, "github"};
    who.claims = {{"repository", "org/app-9999"}, {"ref", "refs/heads/main"}};
    for (int i = 0; i < 24; ++i)
        who.claims["claim-" + std::to_string(i)] = "a value";
    measure(state, policy, who, {Action::create, "ci/app", "1.0"}, true);
}
BENCHMARK(workloads);

// Ten rules for each group that cover every repository, so that only tags tell them apart, and none
// fits: every rule of every group has to be looked at.
void tags_only(benchmark::State& state) {
    const Policy policy = policy_of([](std::size_t i) {
        return rule(Effect::allow, group(i), kUse, {}, {numbered("release-", i) + "-*"});
    });
    const Identity who = member(static_cast<std::size_t>(state.range(0)));
    measure(state, policy, who, {Action::create, "team/app", "release-1x"}, false);
}
BENCHMARK(tags_only)->Arg(1)->Arg(20)->Arg(50);

// The rule that decided, with its sentence.
void decide(benchmark::State& state) {
    const Policy policy = policy_of([](std::size_t i) {
        return rule(Effect::allow, group(i), kUse, {numbered("team-", i % kGroups) + "/**"});
    });
    const Identity who = member(50);
    for (auto step : state) {
        static_cast<void>(step);
        benchmark::DoNotOptimize(policy.decide(who, {Action::create, "team-20/app", "1.0"}));
    }
}
BENCHMARK(decide);

}  // namespace
}  // namespace berth::auth

BENCHMARK_MAIN();
