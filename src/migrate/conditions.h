// The sections whose condition is known when Apache reads its files: <IfModule> and its like.
#pragma once

#include <functional>
#include <optional>
#include <set>
#include <string>

#include "migrate/directive.h"
#include "migrate/report.h"

namespace berth::migrate {

struct ConditionFacts {
    const std::set<std::string>& defined;
    std::function<bool(const std::string& path)> is_file;
};

struct Condition {
    bool taken = false;
    Fate fate = Fate::needless;
    std::string text;  // for the report
};

// nullopt: not such a section.
std::optional<Condition> evaluate_condition(const Directive& section, const ConditionFacts& facts);

}  // namespace berth::migrate
