#include "migrate/regions.h"

#include <algorithm>
#include <iterator>

namespace berth::migrate {

namespace {

constexpr std::size_t kWorldsMax = 64;

void apply_everywhere(Worlds& worlds, const Place& place) {
    for (auto& world : worlds)
        world.apply(place);
}

// The section may apply or not.
void apply_perhaps(Worlds& worlds, const Place& place) {
    if (worlds.size() > kWorldsMax / 2) return;
    auto more = worlds;
    apply_everywhere(more, place);
    worlds.insert(worlds.end(), std::make_move_iterator(more.begin()),
                  std::make_move_iterator(more.end()));
}

}  // namespace

Regions::Regions(const Effective& everywhere) : catalog_{everywhere} {
    repositories_.push_back({true, {}, {}, {everywhere}});
}

bool Regions::apply(const Place& place, const Scope& scope) {
    switch (scope.kind) {
        case Scope::Kind::nothing:
            return true;
        case Scope::Kind::everything:
            for (auto& region : repositories_)
                apply_everywhere(region.worlds, place);
            apply_everywhere(catalog_, place);
            return true;
        case Scope::Kind::unknown:
            for (auto& region : repositories_)
                apply_perhaps(region.worlds, place);
            apply_perhaps(catalog_, place);
            return catalog_.size() <= kWorldsMax / 2;
        case Scope::Kind::part:
            break;
    }
    if (scope.catalog) apply_everywhere(catalog_, place);
    bool exact = true;
    for (const auto& part : scope.repositories)
        exact = apply_to_part(place, part) && exact;
    return exact;
}

bool Regions::apply_to_part(const Place& place, const RepositoryPrefix& part) {
    bool exact = true;
    std::vector<Region> made;
    for (auto& region : repositories_) {
        const bool elsewhere = std::ranges::any_of(region.out, [&](const RepositoryPrefix& out) {
            const auto where = relation(part, out);
            return where == Relation::inside || where == Relation::equal;
        });
        if (elsewhere) continue;
        Region inner{false, {}, {}, region.worlds};
        apply_everywhere(inner.worlds, place);
        std::vector<RepositoryPrefix> remaining;
        bool split = region.everything;
        if (region.everything) inner.in.push_back(part);
        for (const auto& one : region.in) {
            const auto where = relation(part, one);
            if (where == Relation::around || where == Relation::equal) {
                inner.in.push_back(one);
                continue;
            }
            remaining.push_back(one);
            if (where == Relation::apart) continue;
            split = true;
            if (where == Relation::inside) {
                inner.in.push_back(part);
            } else {
                exact = false;
            }
        }
        for (const auto& out : region.out) {
            if (relation(out, part) != Relation::apart) inner.out.push_back(out);
        }
        region.in = std::move(remaining);
        if (split) {
            std::erase_if(region.out, [&](const RepositoryPrefix& out) {
                return relation(out, part) == Relation::inside;
            });
            region.out.push_back(part);
        }
        if (!inner.in.empty()) made.push_back(std::move(inner));
    }
    std::erase_if(repositories_,
                  [](const Region& region) { return !region.everything && region.in.empty(); });
    std::ranges::move(made, std::back_inserter(repositories_));
    has_holes_ = has_holes_ || !exact;
    return exact;
}

}  // namespace berth::migrate
