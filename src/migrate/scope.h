// Scope: which part of a registry a path of the site is about: <Location /v2/team> and its like.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace berth::migrate {

// Repositories whose names start alike: `base` itself and what lies below it, or, if it is no whole
// component, everything that starts with it. `base` may have `*`, for anything within a component.
struct RepositoryPrefix {
    std::string base;
    bool whole = true;

    std::vector<std::string> patterns() const;  // as Berth's policy writes them
    friend bool operator==(const RepositoryPrefix&, const RepositoryPrefix&) = default;
};

enum class Relation { equal, inside, around, apart, unknown };
Relation relation(const RepositoryPrefix& a, const RepositoryPrefix& b);

struct Scope {
    enum class Kind {
        everything,  // all of the registry
        part,        // the catalog, some repositories, or both
        nothing,     // paths that are not the registry's
        unknown,
    } kind = Kind::unknown;
    bool catalog = false;
    std::vector<RepositoryPrefix> repositories;
};

// `prefix` is the path before v2/, with both slashes. A path, as <Location> has it.
Scope scope_of_path(std::string_view path, std::string_view prefix);
// A regular expression, as <LocationMatch> has it: only what is commonly written is understood.
Scope scope_of_expression(std::string_view expression, std::string_view prefix);

}  // namespace berth::migrate
