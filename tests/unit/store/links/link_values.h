// Short ways to write link files and to look at what was read, for tests of them.
#pragma once

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "io/directory.h"
#include "io/path.h"
#include "store/links/links.h"

namespace berth::store {

inline oci::Digest digest_of(char hex) {
    return oci::Digest::parse("sha256:" + std::string(64, hex)).value();
}
inline oci::RepositoryName repository_of(const std::string& name) {
    return oci::RepositoryName::parse(name).value();
}
inline oci::Tag tag_of(const std::string& name) {
    return oci::Tag::parse(name).value();
}

// A file with its folders.
inline void put_file(io::Directory& directory, const std::string& path, std::string_view content) {
    ASSERT_TRUE(directory.make_directories(io::folder_of(path)));
    static_cast<void>(directory.remove(path));
    ASSERT_TRUE(directory.create(path).value()->write_at(0, as_bytes(content)));
}

// Every file below a folder, by its path there, with what is in it; and folders that are empty.
inline void list_tree(const io::Directory& directory, const std::string& folder,
                      const std::string& shown, std::vector<std::string>& found) {
    const auto entries = directory.list(folder);
    if (!entries) return;
    if (entries->empty()) found.push_back(shown + "/");
    for (const auto& entry : *entries) {
        const std::string path = folder + "/" + entry.name;
        const std::string name = shown.empty() ? entry.name : shown + "/" + entry.name;
        if (entry.is_directory) {
            list_tree(directory, path, name, found);
        } else {
            found.push_back(name + " = " + io::read_file(directory, path, 1000).value_or("?"));
        }
    }
}
inline std::vector<std::string> tree_of(const io::Directory& directory, const std::string& folder) {
    std::vector<std::string> found;
    list_tree(directory, folder, "", found);
    std::ranges::sort(found);
    return found;
}

// `kind path`, the path without the folder of all repositories.
inline std::vector<std::string> lines_of(const std::vector<Finding>& findings) {
    constexpr std::string_view kFolder = "docker/registry/v2/repositories/";
    std::vector<std::string> lines;
    for (const auto& finding : findings) {
        EXPECT_FALSE(finding.detail.empty());
        auto path = finding.path;
        if (path.starts_with(kFolder)) path.erase(0, kFolder.size());
        lines.push_back(finding.kind + " " + path);
    }
    std::ranges::sort(lines);
    return lines;
}

}  // namespace berth::store
