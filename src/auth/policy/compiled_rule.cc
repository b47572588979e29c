#include "auth/policy/compiled_rule.h"

#include <algorithm>
#include <utility>

namespace berth::auth {
namespace {

Result<std::vector<Glob>> compile_patterns(std::string_view what,
                                           const std::vector<std::string>& patterns,
                                           Result<Glob> (*parse)(std::string_view)) {
    std::vector<Glob> globs;
    for (const std::string& pattern : patterns) {
        auto glob = parse(pattern);
        if (!glob) {
            return std::unexpected(
                std::move(glob.error()).with_context(std::string(what) + " '" + pattern + "'"));
        }
        globs.push_back(std::move(*glob));
    }
    return globs;
}

}  // namespace

Result<CompiledRule> CompiledRule::compile(const Rule& rule) {
    CompiledRule compiled;
    compiled.name = rule.name;
    compiled.effect = rule.effect;
    compiled.expires = rule.expires;
    if (rule.subjects.empty()) return fail(Errc::invalid, "it has no subjects");
    for (const std::string& text : rule.subjects) {
        BERTH_TRY(Subject subject, Subject::parse(text));
        compiled.subjects.push_back(std::move(subject));
    }
    if (rule.actions.empty()) return fail(Errc::invalid, "it has no actions");
    for (const std::string& text : rule.actions) {
        BERTH_TRY(const Actions actions, parse_action(text));
        compiled.actions |= actions;
    }
    std::vector<std::string> included, excluded;
    for (const std::string& pattern : rule.repositories) {
        const bool is_excluded = pattern.starts_with('!');
        (is_excluded ? excluded : included).push_back(pattern.substr(is_excluded ? 1 : 0));
    }
    BERTH_TRY(compiled.repositories,
              compile_patterns("repository", included, Glob::parse_repository));
    BERTH_TRY(compiled.excluded, compile_patterns("repository", excluded, Glob::parse_repository));
    BERTH_TRY(compiled.tags, compile_patterns("tag", rule.tags, Glob::parse_tag));
    if (!rule.addresses.empty()) {
        BERTH_TRY(compiled.addresses, Networks::parse(rule.addresses));
    }
    return compiled;
}

bool CompiledRule::about(const Identity& who) const {
    return std::any_of(subjects.begin(), subjects.end(),
                       [&who](const Subject& subject) { return subject.matches(who); });
}

bool CompiledRule::excludes(const AccessRequest& request, std::string_view user) const {
    return std::any_of(excluded.begin(), excluded.end(),
                       [&](const Glob& glob) { return glob.matches(request.repository, user); });
}

bool CompiledRule::on_repository(const AccessRequest& request, std::string_view user) const {
    // The catalog names only what the caller may pull, so that any rule can open it.
    const bool opens_catalog = request.action == Action::catalog && effect == Effect::allow;
    if (opens_catalog) return true;
    const bool included =
        repositories.empty() ||
        std::any_of(repositories.begin(), repositories.end(),
                    [&](const Glob& glob) { return glob.matches(request.repository, user); });
    return included && !excludes(request, user);
}

bool CompiledRule::on_tag(const AccessRequest& request) const {
    if (tags.empty()) return true;
    if (request.tag.empty()) {
        return (effect == Effect::deny) == (request.action == Action::remove);
    }
    return std::any_of(tags.begin(), tags.end(),
                       [&](const Glob& glob) { return glob.matches(request.tag); });
}

bool CompiledRule::from(std::string_view address) const {
    return !addresses || addresses->contains(address);
}

bool CompiledRule::in_force(Time at) const {
    if (!expires) return true;
    if (at == Time{}) return effect == Effect::deny;
    return at < *expires;
}

bool CompiledRule::applies(const Identity& who, const AccessRequest& request) const {
    return about(request.action) && in_force(request.at) && about(who) && on_tag(request) &&
           on_repository(request, user_of(who)) && from(request.address);
}

std::string_view user_of(const Identity& who) {
    return who.kind == Identity::Kind::user ? std::string_view(who.name) : std::string_view();
}

}  // namespace berth::auth
