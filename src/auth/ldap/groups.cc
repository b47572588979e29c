#include "auth/ldap/groups.h"

#include <algorithm>
#include <set>
#include <span>
#include <utility>

#include "auth/ldap/escape.h"
#include "base/text.h"

namespace berth::auth {
namespace {

constexpr std::size_t kGroupsMax = 2000;
constexpr std::size_t kSearchesMax = 2000;
constexpr std::size_t kMembersPerSearch = 50;
constexpr std::string_view kUid = "uid";

bool holds_names(std::string_view member_attribute) {
    return equal_ignoring_case(member_attribute.substr(0, member_attribute.find(':')), "memberUid");
}

// One walk from a user upwards, a level at a time.
class Walk {
  public:
    Walk(const LdapOptions::Groups& options, const LdapAsk& ask) : options_(options), ask_(ask) {}

    Result<std::vector<std::string>> from(const LdapEntry& user, const std::string& uid) {
        BERTH_CHECK(add_own(user));
        if (!options_.base.empty()) BERTH_CHECK(search(member_clauses(user.dn, uid)));
        for (std::size_t level = 0; level < options_.depth && !found_.empty(); ++level) {
            const std::vector<std::string> members = std::exchange(found_, {});
            BERTH_CHECK(options_.base.empty() ? read_each(members) : search_for(members));
        }
        return std::vector<std::string>(names_.begin(), names_.end());
    }

  private:
    Result<void> add(const std::string& dn, std::string name) {
        if (!seen_.insert(lower_case(dn)).second) return {};
        found_.push_back(dn);
        return add_name(std::move(name));
    }

    Result<void> add_name(std::string name) {
        if (!name.empty()) names_.insert(std::move(name));
        if (std::max(names_.size(), seen_.size()) <= kGroupsMax) return {};
        return fail(Errc::too_large, "more than " + std::to_string(kGroupsMax) + " groups");
    }

    Result<std::vector<LdapEntry>> ask(const LdapSearch& question) {
        if (++searches_ <= kSearchesMax) return ask_(question);
        return fail(Errc::too_large, "groups within groups take more than " +
                                         std::to_string(kSearchesMax) + " searches");
    }

    // What the entry itself says of its groups.
    Result<void> add_own(const LdapEntry& entry) {
        if (options_.own_attribute.empty()) return {};
        for (const std::string& value : entry.values(options_.own_attribute)) {
            auto rdn = first_rdn(value);
            BERTH_CHECK(rdn ? add(value, std::move(rdn->value)) : add_name(value));
        }
        return {};
    }

    std::string member_clauses(const std::string& dn, const std::string& uid) const {
        std::string clauses;
        for (const std::string& attribute : options_.member_attributes) {
            const std::string& member = holds_names(attribute) ? uid : dn;
            if (member.empty()) continue;
            clauses += "(" + attribute + "=" + escape_filter_value(member) + ")";
        }
        return clauses;
    }

    Result<void> search(const std::string& clauses) {
        if (clauses.empty()) return {};
        LdapSearch question;
        question.base = options_.base;
        question.filter = "(&" + options_.filter + "(|" + clauses + "))";
        question.attributes = {options_.name_attribute};
        question.entries_max = kGroupsMax;
        BERTH_TRY(const auto groups, ask(question));
        for (const LdapEntry& group : groups) {
            BERTH_CHECK(add(group.dn, group.value(options_.name_attribute)));
        }
        return {};
    }

    Result<void> search_for(std::span<const std::string> members) {
        while (!members.empty()) {
            const auto batch = members.first(std::min(members.size(), kMembersPerSearch));
            members = members.subspan(batch.size());
            std::string clauses;
            for (const std::string& dn : batch)
                clauses += member_clauses(dn, {});
            BERTH_CHECK(search(clauses));
        }
        return {};
    }

    Result<void> read_each(std::span<const std::string> members) {
        for (const std::string& dn : members) {
            LdapSearch question;
            question.base = dn;
            question.scope = LdapSearch::Scope::base;
            question.filter = "(objectClass=*)";
            question.attributes = {options_.own_attribute};
            BERTH_TRY(const auto groups, ask(question));
            for (const LdapEntry& group : groups)
                BERTH_CHECK(add_own(group));
        }
        return {};
    }

    const LdapOptions::Groups& options_;
    const LdapAsk& ask_;
    std::set<std::string> names_;
    std::set<std::string> seen_;      // names of entries, in lower case
    std::vector<std::string> found_;  // in the last level
    std::size_t searches_ = 0;
};

}  // namespace

std::vector<std::string> group_attributes(const LdapOptions::Groups& options) {
    std::vector<std::string> attributes;
    if (!options.own_attribute.empty()) attributes.push_back(options.own_attribute);
    if (!options.base.empty() && std::ranges::any_of(options.member_attributes, holds_names)) {
        attributes.emplace_back(kUid);
    }
    return attributes;
}

Result<std::vector<std::string>> groups_of(const LdapEntry& user, const std::string& name,
                                           const LdapOptions::Groups& options, const LdapAsk& ask) {
    const std::string uid = user.value(kUid);
    return Walk(options, ask).from(user, uid.empty() ? name : uid);
}

}  // namespace berth::auth
