// Who is asking, and how they proved it.
#pragma once

#include <string>
#include <vector>

namespace berth::auth {

// A value. The anonymous identity has an empty name.
struct Identity {
    std::string name;
    std::vector<std::string> groups;
    std::string proof;  // how: "htpasswd", "none", …; for logs and the audit

    bool anonymous() const { return name.empty(); }
};

}  // namespace berth::auth
