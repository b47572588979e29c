#include "auth/policy/subject.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/nearest.h"

namespace berth::auth {

Result<Subject> Subject::parse(std::string_view text) {
    using Named = std::pair<std::string_view, Kind>;
    static constexpr std::array<Named, 4> kWithName{{
        {"user", Kind::user},
        {"group", Kind::group},
        {"robot", Kind::robot},
        {"oidc", Kind::oidc},
    }};
    static constexpr std::array<Named, 3> kAlone{{
        {"authenticated", Kind::authenticated},
        {"anonymous", Kind::anonymous},
        {"everyone", Kind::everyone},
    }};
    static constexpr std::array<std::string_view, 7> kWords{
        "user", "group", "robot", "oidc", "authenticated", "anonymous", "everyone"};

    Subject subject;
    const auto colon = text.find(':');
    const std::string_view word = text.substr(0, colon);
    if (colon == text.npos) {
        for (const auto& [known, kind] : kAlone) {
            if (word != known) continue;
            subject.kind_ = kind;
            return subject;
        }
    } else {
        for (const auto& [known, kind] : kWithName) {
            if (word != known) continue;
            subject.kind_ = kind;
            subject.name_ = text.substr(colon + 1);
            if (!subject.name_.empty()) return subject;
            return fail(Errc::invalid, "the subject '" + std::string(text) + "' names nobody");
        }
    }
    std::string detail = "unknown subject '" + std::string(text) + "'";
    const std::string_view meant = nearest(word, kWords);
    const bool alone = std::any_of(kAlone.begin(), kAlone.end(),
                                   [&](auto& entry) { return entry.first == meant; });
    if (!meant.empty()) {
        detail += "; did you mean '" + std::string(meant);
        if (!alone) detail += colon == text.npos ? ":NAME" : std::string(text.substr(colon));
        detail += "'?";
    } else if (colon == text.npos) {
        detail += "; for a user write 'user:" + std::string(text) + "'";
    } else {
        detail +=
            "; known are user:NAME, group:NAME, robot:NAME, oidc:NAME, authenticated, "
            "anonymous and everyone";
    }
    return fail(Errc::invalid, std::move(detail));
}

bool Subject::matches(const Identity& who) const {
    switch (kind_) {
        case Kind::everyone:
            return true;
        case Kind::anonymous:
            return who.anonymous();
        case Kind::authenticated:
            return !who.anonymous();
        case Kind::group:
            return std::find(who.groups.begin(), who.groups.end(), name_) != who.groups.end();
        case Kind::robot:
            return who.proof == "robot" && who.name == name_;
        case Kind::oidc:
            return who.proof == "oidc" && who.name == name_;
        // A robot or a foreign login that happens to have a user's name is not that user.
        case Kind::user:
            return who.proof != "robot" && who.proof != "oidc" && who.name == name_;
    }
    return false;
}

}  // namespace berth::auth
