// The login for another registry: from the command line, or where docker and podman keep theirs.
#pragma once

#include <optional>
#include <string>

#include "base/result.h"
#include "transfer/remote_client.h"

namespace berth::cli {

struct LoginArguments {
    std::string user;
    std::string password_file;  // `-`: standard input
    std::string auth_file;      // empty: docker's and podman's own
};

// Nothing: none was given, and none is kept for `host`.
Result<std::optional<transfer::RemoteLogin>> find_login(const LoginArguments& arguments,
                                                        const std::string& host);

}  // namespace berth::cli
