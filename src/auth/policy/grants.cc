#include "auth/policy/grants.h"

#include <algorithm>
#include <utility>

#include "auth/policy/actions.h"

namespace berth::auth {

Result<Grants::Grant> Grants::parse_one(std::string_view text) {
    const auto colon = text.find(':');
    Grant grant;
    std::string_view words = text.substr(0, colon);
    for (bool more = true; more;) {
        const auto comma = words.find(',');
        const std::string_view word = words.substr(0, comma);
        if (word == "*") {
            grant.actions |= kOnRepositories;
        } else {
            BERTH_TRY(const Actions actions, parse_action(word));
            grant.actions |= actions;
        }
        more = comma != words.npos;
        if (more) words.remove_prefix(comma + 1);
    }
    if (colon == text.npos) {
        if ((grant.actions & kOnRepositories) == 0) return grant;
        return fail(Errc::invalid,
                    "of which repositories? For all of them write '" + std::string(text) + ":**'");
    }
    if ((grant.actions & kOnRegistry) != 0) {
        return fail(Errc::invalid, "catalog and admin stand alone, without repositories");
    }
    const std::string_view pattern = text.substr(colon + 1);
    BERTH_TRY(grant.repositories, Glob::parse_repository(pattern));
    return grant;
}

Result<Grants> Grants::parse(const std::vector<std::string>& texts) {
    Grants grants;
    for (const std::string& text : texts) {
        auto grant = parse_one(text);
        if (!grant) {
            return std::unexpected(std::move(grant.error()).with_context("grant '" + text + "'"));
        }
        grants.grants_.push_back(std::move(*grant));
    }
    return grants;
}

void Grants::add(std::string_view type, std::string_view name,
                 const std::vector<std::string>& actions) {
    Grant grant;
    if (type == "repository" && !name.empty()) {
        for (const std::string& action : actions) {
            if (action == "pull" || action == "*") grant.actions |= bit(Action::pull);
            if (action == "push" || action == "*") grant.actions |= kPush;
            if (action == "create") grant.actions |= bit(Action::create);
            if (action == "overwrite") grant.actions |= bit(Action::overwrite);
            if (action == "delete" || action == "*") grant.actions |= bit(Action::remove);
        }
        grant.name = name;
    } else if (type == "registry" && name == "catalog" &&
               std::find(actions.begin(), actions.end(), "*") != actions.end()) {
        grant.actions = bit(Action::catalog);
    }
    if (grant.actions != 0) grants_.push_back(std::move(grant));
}

bool Grants::cover(const AccessRequest& request, std::string_view user) const {
    const bool on_registry = (bit(request.action) & kOnRegistry) != 0;
    return std::any_of(grants_.begin(), grants_.end(), [&](const Grant& grant) {
        if ((grant.actions & bit(request.action)) == 0) return false;
        if (on_registry) return true;
        return grant.repositories ? grant.repositories->matches(request.repository, user)
                                  : grant.name == request.repository;
    });
}

}  // namespace berth::auth
