// Goal: scopes are read as token clients write them, and what is not one is refused.
#include "auth/token/scope.h"

#include <gtest/gtest.h>

namespace berth::auth {
namespace {

TEST(Scope, ReadsWhatClientsWrite) {
    struct Row {
        std::string_view text;
        std::vector<Scope> scopes;
    };
    const Row table[] = {
        {"", {}},
        {" ", {}},
        {"repository:team/app:pull", {{"repository", "team/app", {"pull"}}}},
        {"repository:team/app:pull,push", {{"repository", "team/app", {"pull", "push"}}}},
        {"repository:a:pull,,pull,push,", {{"repository", "a", {"pull", "push"}}}},
        {"repository:a:", {{"repository", "a", {}}}},
        {"repository:a:*", {{"repository", "a", {"*"}}}},
        {"registry:catalog:*", {{"registry", "catalog", {"*"}}}},
        {"repository(plugin):a/b:pull", {{"repository(plugin)", "a/b", {"pull"}}}},
        {"repository:host:5000/a:pull", {{"repository", "host:5000/a", {"pull"}}}},
        {"a:b:c  d:e:f ", {{"a", "b", {"c"}}, {"d", "e", {"f"}}}},
        {"repository:../../etc:pull", {{"repository", "../../etc", {"pull"}}}},
    };
    for (const Row& row : table)
        EXPECT_EQ(Scope::parse(row.text).value(), row.scopes) << row.text;
}

TEST(Scope, RefusesWhatIsNone) {
    std::string many, actions = "repository:a:";
    for (int i = 0; i < 65; ++i)
        many += "repository:a:pull ";
    for (int i = 0; i < 17; ++i)
        actions += "action" + std::to_string(i) + ",";
    for (const std::string& text :
         {std::string("pull"), std::string("repository:a"), std::string(":a:pull"),
          std::string("repository::pull"), std::string("::"), std::string("repository:a\n:pull"),
          std::string("repository:\"a:pull"), std::string("repository:a\\:pull"),
          std::string("repository:\xc3\xa4:pull"), std::string("repository:a\0b:pull", 19),
          std::string("repository:a:pull\t"), many, actions,
          "repository:" + std::string(20'000, 'a') + ":pull"}) {
        const auto scopes = Scope::parse(text);
        ASSERT_FALSE(scopes) << text;
        EXPECT_EQ(scopes.error().code, Errc::invalid);
    }
}

TEST(Scope, WritesWhatItReads) {
    for (const std::string_view text :
         {"repository:team/app:pull,push", "registry:catalog:*", "repository:a:"}) {
        EXPECT_EQ(Scope::parse(text).value().front().text(), text);
    }
}

}  // namespace
}  // namespace berth::auth
