#include "cli/remote_login.h"

#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <vector>

#include "app/config_load.h"
#include "base/encoding.h"

namespace berth::cli {
namespace {

using transfer::RemoteLogin;
using Login = std::optional<RemoteLogin>;

Result<std::string> read_text(const std::string& path) {
    std::ostringstream text;
    if (path == "-") {
        text << std::cin.rdbuf();
    } else {
        const std::ifstream file(path, std::ios::binary);
        if (!file) return fail(Errc::not_found, path + " cannot be read");
        text << file.rdbuf();
    }
    return text.str();
}

Result<std::string> read_password(const std::string& path) {
    BERTH_TRY(auto password, read_text(path));
    while (password.ends_with('\n') || password.ends_with('\r'))
        password.pop_back();
    if (password.empty()) return fail(Errc::invalid, path + " has no password in it");
    return password;
}

// Where docker and podman look, in this order.
std::vector<std::string> usual_files() {
    const auto environment = app::process_environment();
    std::vector<std::string> files;
    const auto add = [&](const char* variable, const char* rest) {
        const auto found = environment.find(variable);
        if (found != environment.end() && !found->second.empty())
            files.push_back(found->second + rest);
    };
    add("REGISTRY_AUTH_FILE", "");
    add("DOCKER_CONFIG", "/config.json");
    add("XDG_RUNTIME_DIR", "/containers/auth.json");
    add("HOME", "/.docker/config.json");
    return files;
}

Result<Login> login_in(const std::string& path, const std::string& text, const std::string& host) {
    const auto json = nlohmann::json::parse(text, nullptr, false);
    if (!json.is_object()) return fail(Errc::invalid, path + " is no JSON object");
    const auto auths = json.find("auths");
    if (auths == json.end() || !auths->is_object()) return Login();
    const bool is_hub = host == "docker.io" || host == "registry-1.docker.io";
    for (const auto& key :
         {host, "https://" + host, std::string(is_hub ? "https://index.docker.io/v1/" : "")}) {
        const auto entry = auths->find(key);
        if (key.empty() || entry == auths->end() || !entry->is_object()) continue;
        const auto packed = entry->find("auth");
        if (packed == entry->end() || !packed->is_string()) continue;
        const auto plain = base64_decode(packed->get<std::string>());
        const auto colon = plain ? plain->find(':') : std::string::npos;
        if (colon == std::string::npos) return fail(Errc::invalid, path + ": a login that is none");
        return Login(RemoteLogin{plain->substr(0, colon), plain->substr(colon + 1)});
    }
    return Login();
}

}  // namespace

Result<Login> find_login(const LoginArguments& arguments, const std::string& host) {
    if (!arguments.user.empty()) {
        if (arguments.password_file.empty()) {
            return fail(Errc::invalid,
                        "--user needs --password-file: a file with the password, or - for "
                        "standard input");
        }
        BERTH_TRY(auto password, read_password(arguments.password_file));
        return Login(RemoteLogin{arguments.user, std::move(password)});
    }
    if (!arguments.password_file.empty()) {
        return fail(Errc::invalid, "--password-file needs --user");
    }
    if (!arguments.auth_file.empty()) {
        BERTH_TRY(const auto text, read_text(arguments.auth_file));
        return login_in(arguments.auth_file, text, host);
    }
    for (const auto& path : usual_files()) {
        const auto text = read_text(path);
        if (!text) continue;
        BERTH_TRY(auto login, login_in(path, *text, host));
        if (login) return login;
    }
    return Login();
}

}  // namespace berth::cli
