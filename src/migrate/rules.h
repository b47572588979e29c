// Rules: what the site asks of callers, as Berth's policy.
#pragma once

#include <string>
#include <vector>

#include "migrate/regions.h"
#include "migrate/requirements.h"

namespace berth::migrate {

struct PolicyRule {
    std::string name;
    bool deny = false;
    std::vector<std::string> subjects;
    std::vector<std::string> actions;
    std::vector<std::string> repositories;  // empty: all; with ! before it: but not these
    std::vector<std::string> addresses;     // empty: all
};

// Nobody who is not `within` gets in. `about` is where the report says what got stricter.
std::vector<PolicyRule> make_rules(const Regions& regions, const Meaning& meaning,
                                   const Who& within, const Directive& about, Report& report);

}  // namespace berth::migrate
