// The table of keys, and docs/configure.md, which must name the same ones.
#include "app/config_keys.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <set>

namespace berth::app {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(ConfigKeys, StandOnceAndBelowAKeyThatIsThere) {
    std::set<std::string_view> paths;
    for (const auto& key : config_keys()) {
        EXPECT_TRUE(paths.insert(key.path).second) << key.path;
        auto parent = key.path.substr(0, key.path.find_last_of('.') == std::string_view::npos
                                             ? 0
                                             : key.path.find_last_of('.'));
        if (parent.ends_with("[]")) parent.remove_suffix(2);
        EXPECT_TRUE(parent.empty() || paths.contains(parent)) << key.path;
    }
}

TEST(ConfigKeys, WhatIsNotServedSaysSoOnItsOwnOrAnUpperLine) {
    for (const auto& key : config_keys()) {
        if (key.state != KeyState::warned && key.state != KeyState::refused) continue;
        auto path = key.path;
        const ConfigKey* row = &key;
        while (row != nullptr && row->note.empty()) {
            const auto dot = path.rfind('.');
            ASSERT_NE(dot, std::string_view::npos) << key.path;
            path = path.substr(0, dot);
            if (path.ends_with("[]")) path.remove_suffix(2);
            row = find_key(path);
        }
        ASSERT_NE(row, nullptr) << key.path;
        EXPECT_EQ(row->state, key.state) << key.path;
    }
}

TEST(ConfigKeys, NameTheirMembers) {
    EXPECT_THAT(member_names("auth.htpasswd"), ElementsAre("realm", "path"));
    EXPECT_THAT(member_names("policy"), ElementsAre("repository"));
    EXPECT_THAT(member_names("http.addr"), IsEmpty());
    EXPECT_EQ(member_path("", "http"), "http");
    EXPECT_EQ(member_path("http", "none"), "");
    EXPECT_EQ(member_path("http.headers", "X-A"), "http.headers.*");
    EXPECT_EQ(member_path("policy[]", "name"), "policy[].name");
    EXPECT_EQ(member_path("redis", "addr"), "redis.addr");
    EXPECT_EQ(member_path("redis", "address"), "");
}

// In docs/configure.md a key stands between backquotes in the first cell of a table's line, and
// the last cell begins with what Berth does.
std::map<std::string, std::string> documented_keys() {
    std::ifstream file(std::string(BERTH_SOURCE_DIR) + "/docs/configure.md");
    std::map<std::string, std::string> keys;
    for (std::string line; std::getline(file, line);) {
        if (!line.starts_with("| `")) continue;
        const auto cell = line.substr(2, line.find(" |", 2) - 2);
        const auto last = line.rfind("| ", line.size() - 3) + 2;
        const auto state = line.substr(last, line.find_first_of(" ,:;", last) - last);
        std::size_t at = 0;
        while ((at = cell.find('`', at)) != std::string::npos) {
            const auto end = cell.find('`', at + 1);
            const auto key = cell.substr(at + 1, end - at - 1);
            EXPECT_TRUE(keys.emplace(key, state).second) << key << " stands there twice";
            at = end + 1;
        }
    }
    return keys;
}

TEST(ConfigKeys, AreTheOnesOfTheManual) {
    const std::map<KeyState, std::string> words{{KeyState::served, "served"},
                                                {KeyState::ignored, "ignored"},
                                                {KeyState::warned, "warned"},
                                                {KeyState::refused, "refused"}};
    auto documented = documented_keys();
    for (const auto& key : config_keys()) {
        if (key.path.ends_with("[]")) continue;
        const auto it = documented.find(std::string(key.path));
        ASSERT_NE(it, documented.end()) << key.path << " is missing in docs/configure.md";
        EXPECT_EQ(it->second, words.at(key.state)) << key.path;
        documented.erase(it);
    }
    for (const auto& [key, state] : documented)
        ADD_FAILURE() << key << " stands in docs/configure.md but is no key";
}

}  // namespace
}  // namespace berth::app
