// PolicyMaker: rules, callers and requests made of few words, so that many of them meet; by random
// numbers in tests, by the input in the fuzzer.
#pragma once

#include <array>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "auth/policy/grants.h"
#include "auth/policy/policy.h"

namespace berth::auth {

// An AccessRequest with its texts.
struct MadeRequest {
    Action action{};
    std::string repository, tag, address;
    Time at;

    AccessRequest request() const { return {action, repository, tag, address, at}; }
};

class PolicyMaker {
  public:
    // `pick(n)` is a number below n.
    explicit PolicyMaker(std::function<std::size_t(std::size_t)> pick) : pick_(std::move(pick)) {}

    std::vector<Rule> rules(std::size_t count_max) {
        std::vector<Rule> made;
        for (std::size_t count = pick_(count_max + 1); made.size() < count;)
            made.push_back(rule());
        return made;
    }

    Rule rule() {
        Rule made;
        made.effect = one_in(4) ? Effect::deny : Effect::allow;
        made.subjects = some([this] { return subject(); }, 3);
        made.actions = some([this] { return word(kActions); }, 3);
        if (!one_in(4)) made.repositories = some([this] { return pattern(); }, 3);
        if (one_in(6)) made.repositories.push_back("!" + pattern());
        if (one_in(4)) made.tags = some([this] { return word(kTagPatterns); }, 2);
        if (one_in(6)) made.addresses = some([this] { return word(kNetworks); }, 2);
        if (one_in(6)) made.expires = time();
        if (one_in(100)) multiply(made);
        return made;
    }

    Identity identity() {
        Identity made;
        made.proof = "htpasswd";
        if (!one_in(5)) made.name = word(kNames);
        made.kind = static_cast<Identity::Kind>(pick_(3));
        const std::size_t groups = one_in(20) ? 200 : pick_(5);
        for (std::size_t i = 0; i < groups; ++i)
            made.groups.push_back(groups > 5 ? "many" + std::to_string(i) : word(kGroups));
        if (groups > 5) made.groups.insert(made.groups.begin() + 150, word(kGroups));
        if (made.kind == Identity::Kind::oidc) {
            made.provider = word(kProviders);
            for (std::size_t i = 0; i < 4; ++i)
                if (one_in(2)) made.claims[word(kClaims)] = word(kValues);
        }
        if (one_in(4)) {
            auto grants = std::make_shared<Grants>();
            grants->add("repository", repository(), {"pull", "push"});
            if (one_in(2)) grants->add("registry", "catalog", {"*"});
            made.grants = std::move(grants);
        }
        return made;
    }

    MadeRequest request() {
        MadeRequest made;
        made.action = static_cast<Action>(pick_(6));
        const bool on_registry = made.action == Action::catalog || made.action == Action::admin;
        if (!on_registry || one_in(10)) made.repository = one_in(50) ? "" : repository();
        if (!one_in(3)) made.tag = word(kTags);
        if (!one_in(4)) made.address = word(kAddresses);
        if (!one_in(4)) made.at = time();
        return made;
    }

  private:
    template <std::size_t N>
    using Words = std::array<std::string_view, N>;
    static constexpr Words<7> kActions{"pull",   "push",    "create", "overwrite",
                                       "delete", "catalog", "admin"};
    static constexpr Words<4> kNames{"a", "b", "ab", "A"};
    static constexpr Words<4> kGroups{"g", "h", "gh", "many199"};
    static constexpr Words<2> kProviders{"hub", "lab"};
    static constexpr Words<4> kClaims{"repository", "project_path", "ref", "repo"};
    static constexpr Words<4> kValues{"o/a", "o/b", "refs/heads/main", "o"};
    static constexpr Words<6> kConditions{"repo=o/a", "repo=o/*",       "ref=refs/heads/main",
                                          "ref=**",   "repository=o/b", "project_path=o/*"};
    static constexpr Words<5> kTagPatterns{"v*", "v1", "*", "latest", "*1"};
    static constexpr Words<4> kTags{"v1", "v2", "latest", "x"};
    static constexpr Words<3> kNetworks{"10.0.0.0/8", "192.0.2.1", "fd00::/8"};
    static constexpr Words<4> kAddresses{"10.1.2.3", "192.0.2.1", "fd00::1", "no address"};
    static constexpr Words<9> kPieces{"a", "b", "ab", "/", "/", "*", "**", "{user}", "-a"};
    static constexpr Words<4> kComponents{"a", "b", "ab", "a-b"};

    bool one_in(std::size_t n) { return pick_(n) == 0; }

    template <std::size_t N>
    std::string word(const Words<N>& words) {
        return std::string(words[pick_(N)]);
    }

    template <class Make>
    std::vector<std::string> some(const Make& make, std::size_t count_max) {
        std::vector<std::string> made;
        for (std::size_t count = 1 + pick_(count_max); made.size() < count;)
            made.push_back(make());
        return made;
    }

    std::string subject() {
        switch (pick_(7)) {
            case 0:
                return "everyone";
            case 1:
                return "anonymous";
            case 2:
                return "authenticated";
            case 3:
                return "user:" + word(kNames);
            case 4:
                return "group:" + word(kGroups);
            case 5:
                return "robot:" + word(kNames);
            default:
                std::string made = "oidc:" + word(kProviders);
                while (one_in(2) && made.size() < 100)
                    made += " " + word(kConditions);
                return made;
        }
    }

    std::string pattern() {
        std::string made;
        for (std::size_t count = 1 + pick_(5); count > 0; --count)
            made += word(kPieces);
        return Glob::parse_repository(made) ? made : "a/**";
    }

    std::string repository() {
        std::string made = word(kComponents);
        while (one_in(2) && made.size() < 100)
            made += "/" + word(kComponents);
        return made;
    }

    Time time() { return Time{} + std::chrono::seconds(1 + pick_(5)); }

    // More subjects times patterns than are indexed one by one.
    static void multiply(Rule& rule) {
        for (int i = 0; i < 80; ++i) {
            rule.subjects.push_back("user:u" + std::to_string(i));
            rule.repositories.push_back("z" + std::to_string(i) + "/**");
        }
    }

    std::function<std::size_t(std::size_t)> pick_;
};

}  // namespace berth::auth
