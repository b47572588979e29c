// Subject: whom a rule is about.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "auth/identity.h"
#include "auth/policy/glob.h"
#include "base/result.h"

namespace berth::auth {

class Subject {
  public:
    enum class Kind { user, group, robot, oidc, authenticated, anonymous, everyone };
    // `claim=pattern` of an OIDC subject.
    struct Condition {
        std::string claim;
        Glob value;
    };
    // One of the things that a caller is, such as a member of a group.
    struct Face {
        std::uint64_t key = 0;
        Kind kind{};
        std::string_view name;
    };

    // Errc::invalid names the nearest valid subject.
    static Result<Subject> parse(std::string_view text);

    // Neither allocates.
    bool matches(const Identity& who) const;
    // The same for a caller that has this face: for every subject that matches a caller, one of
    // the caller's faces has the subject's key, and that one matches.
    bool matches(const Face& face, const Identity& who) const;
    std::uint64_t key() const { return key_; }

    Kind kind() const { return kind_; }
    const std::string& name() const { return name_; }
    const std::vector<Condition>& conditions() const { return conditions_; }
    // It certainly matches whoever `other` matches; false says nothing.
    bool covers(const Subject& other) const;

  private:
    Result<void> parse_conditions(std::string_view words);
    bool conditions_hold(const Identity& who) const;
    std::uint64_t make_key() const;

    Kind kind_{};
    std::string name_;
    std::vector<Condition> conditions_;  // all must hold
    std::uint64_t key_ = 0;
};

// The caller's faces, a buffer at a time, without allocating.
class Faces {
  public:
    explicit Faces(const Identity& who) : who_(who), claim_(who.claims.begin()) {}

    // Empty: there are no more.
    std::span<const Subject::Face> next(std::span<Subject::Face> buffer);

  private:
    bool make(Subject::Face& face);

    const Identity& who_;
    std::size_t at_ = 0;
    decltype(Identity::claims)::const_iterator claim_;
    bool short_name_due_ = false;
};

}  // namespace berth::auth
