// Paths inside a Directory: the one place that says which are allowed, and how they come apart.
#pragma once

#include <string_view>

#include "base/result.h"

namespace berth::io {

enum class RootAllowed { no, yes };

// Errc::invalid unless `path` is relative and without empty, `.` or `..` components or NUL bytes,
// so that it cannot name anything outside of the tree. The empty path is the root.
inline Result<void> check_path(std::string_view path, RootAllowed root = RootAllowed::no) {
    if (path.empty() && root == RootAllowed::yes) return {};
    bool good = path.find('\0') == std::string_view::npos;
    for (std::string_view rest = path; good;) {
        const auto slash = rest.find('/');
        const auto part = rest.substr(0, slash);
        good = !part.empty() && part != "." && part != "..";
        if (slash == std::string_view::npos) break;
        rest.remove_prefix(slash + 1);
    }
    if (good) return {};
    return fail(Errc::invalid, "not a path inside the directory: '" + std::string(path) + "'");
}

// The folder `path` stands in; empty: the root.
inline std::string_view folder_of(std::string_view path) {
    const auto slash = path.rfind('/');
    return slash == std::string_view::npos ? std::string_view() : path.substr(0, slash);
}

inline std::string_view last_component(std::string_view path) {
    return path.substr(path.rfind('/') + 1);  // npos + 1 is 0
}

}  // namespace berth::io
