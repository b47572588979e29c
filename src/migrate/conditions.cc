#include "migrate/conditions.h"

#include <array>
#include <charconv>

namespace berth::migrate {

namespace {

using Version = std::array<unsigned, 3>;
constexpr Version kVersion{2, 4, 65};

// Modules of 2.2 that 2.4 has no more.
constexpr std::array<std::string_view, 6> kGone{"mod_authz_default.c",  "mod_authn_default.c",
                                                "authz_default_module", "authn_default_module",
                                                "mod_authn_alias.c",    "authn_alias_module"};

Condition answer(bool is_true, bool negated, const std::string& fact) {
    const bool taken = is_true != negated;
    return {taken, Fate::needless, (taken ? "taken: " : "not taken: ") + fact};
}

std::optional<Version> parse_version(std::string_view text) {
    Version version{};
    for (auto& number : version) {
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
        if (error != std::errc()) return std::nullopt;
        text.remove_prefix(static_cast<std::size_t>(end - text.data()));
        if (text.empty()) return version;
        if (!text.starts_with('.')) return std::nullopt;
        text.remove_prefix(1);
    }
    return std::nullopt;
}

Condition version_condition(const Directive& section) {
    std::string operation = section.words.size() > 1 ? section.words[0] : "=";
    bool negated = false;
    if (operation.size() > 1 && operation.starts_with('!')) {
        negated = true;
        operation.erase(0, 1);
    }
    const auto version = parse_version(section.words.empty() ? "" : section.words.back());
    const std::string fact = "the version counts as 2.4";
    if (version && (operation == "=" || operation == "=="))
        return answer(kVersion == *version, negated, fact);
    if (version && operation == ">") return answer(kVersion > *version, negated, fact);
    if (version && operation == ">=") return answer(kVersion >= *version, negated, fact);
    if (version && operation == "<") return answer(kVersion < *version, negated, fact);
    if (version && operation == "<=") return answer(kVersion <= *version, negated, fact);
    return {true, Fate::lost,
            "taken: its condition is not understood; look whether that is right for your Apache"};
}

}  // namespace

std::optional<Condition> evaluate_condition(const Directive& section, const ConditionFacts& facts) {
    const auto& key = section.key;
    if (key == "<ifversion") return version_condition(section);

    std::string_view word = section.word(0);
    const bool negated = word.starts_with('!');
    if (negated) word.remove_prefix(1);
    const std::string name(word);
    if (key == "<ifmodule") {
        bool gone = false;
        for (const auto module : kGone)
            gone = gone || module == name;
        return answer(!gone, negated,
                      gone ? "Apache 2.4 has no such module" : "the module counts as loaded");
    }
    if (key == "<ifdefine") {
        const bool defined = facts.defined.contains(name);
        if (defined) return answer(true, negated, "a Define gives it");
        auto condition = answer(false, negated,
                                "no Define gives it; if Apache is started with -D " + name +
                                    ", put `Define " + name + "` into the site and run this again");
        condition.fate = Fate::lost;
        return condition;
    }
    if (key == "<iffile") {
        const bool there = facts.is_file(name);
        return answer(there, negated, there ? "the file is there" : "the file is not there");
    }
    if (key == "<ifdirective" || key == "<ifsection") {
        return answer(true, negated, "Apache 2.4 counts as knowing it");
    }
    return std::nullopt;
}

}  // namespace berth::migrate
