// Sites in memory: what `berth migrate` finds on a disk.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "migrate/apache.h"

namespace berth::migrate {

struct SiteFiles {
    std::map<std::string, std::string> files;
    std::map<std::string, std::string> variables;

    // `*` stands for the end of a name; more is not asked for here.
    Sources sources(const std::string& site = "site.conf") const {
        Sources made;
        made.site_path = site;
        made.registry_path = "registry.yml";
        made.registry_yaml = "storage: {inmemory: {}}";
        made.read = [this](const std::string& path) -> Result<std::string> {
            const auto file = files.find(path);
            if (file == files.end()) return fail(Errc::not_found, path + ": no such file");
            return file->second;
        };
        made.glob = [this](const std::string& pattern) {
            std::vector<std::string> found;
            const auto start = pattern.substr(0, pattern.find('*'));
            for (const auto& [path, text] : files) {
                if (path.starts_with(start)) found.push_back(path);
            }
            return found;
        };
        made.variable = [this](const std::string& name) -> std::optional<std::string> {
            const auto variable = variables.find(name);
            if (variable == variables.end()) return std::nullopt;
            return variable->second;
        };
        made.registry_key = [](const std::string&) { return RegistryKey{}; };
        return made;
    }
};

}  // namespace berth::migrate
