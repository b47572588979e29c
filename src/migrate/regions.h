// Regions: the parts of a registry to which different sections of the site apply, and what is in
// force in each.
#pragma once

#include <vector>

#include "migrate/requirements.h"
#include "migrate/scope.h"

namespace berth::migrate {

// What may be in force; if it is not known which of several, all of them must let a caller in.
using Worlds = std::vector<Effective>;

struct Region {
    bool everything = false;            // all repositories
    std::vector<RepositoryPrefix> in;   // else these
    std::vector<RepositoryPrefix> out;  // but not these, which are in other regions, or none
    Worlds worlds;
};

class Regions {
  public:
    explicit Regions(const Effective& everywhere);

    // Sections in Apache's order. False: the section overlaps an earlier one in a way that cannot
    // be said; where both apply, nobody is let in.
    bool apply(const Place& place, const Scope& scope);

    const std::vector<Region>& repositories() const { return repositories_; }
    const Worlds& catalog() const { return catalog_; }
    // Some repositories are in no region.
    bool has_holes() const { return has_holes_; }

  private:
    bool apply_to_part(const Place& place, const RepositoryPrefix& part);

    std::vector<Region> repositories_;
    Worlds catalog_;
    bool has_holes_ = false;
};

}  // namespace berth::migrate
