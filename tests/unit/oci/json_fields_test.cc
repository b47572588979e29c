// Goal: what an object says is taken, and what is wrong with it is named.
// Method: a table of objects.
#include "oci/json_fields.h"

#include <gtest/gtest.h>

namespace berth::oci {
namespace {

using namespace std::chrono;

// What is wrong with an object of a text, a list and a time; empty: nothing.
std::string problem(std::string_view json) {
    const auto read = [&]() -> Result<void> {
        BERTH_TRY(JsonFields fields, JsonFields::parse(json, 2));
        BERTH_TRY(const std::string name, fields.text("name"));
        BERTH_TRY(const auto list, fields.texts("list"));
        if (fields.has("at")) {
            BERTH_TRY(const Time at, fields.time("at"));
            EXPECT_EQ(at, Time(sys_days(2027y / 1 / 31)));
        }
        EXPECT_EQ(name, "a");
        EXPECT_EQ(list, (std::vector<std::string>{"b", "c"}));
        return fields.end();
    };
    const auto done = read();
    if (done) return {};
    EXPECT_EQ(done.error().code, Errc::invalid);
    return done.error().detail;
}

TEST(JsonFields, NameWhatIsWrong) {
    EXPECT_EQ(problem(R"({"name":"a","list":["b","c"]})"), "");
    EXPECT_EQ(problem(R"({"at":"2027-01-31T00:00:00Z","list":["b","c"],"name":"a"})"), "");
    for (const auto& [json, expected] : std::vector<std::pair<std::string_view, std::string>>{
             {R"([])", "it must be a JSON object"},
             {R"("a")", "it must be a JSON object"},
             {R"({"list":["b","c"]})", "name must be a text"},
             {R"({"name":null,"list":["b","c"]})", "name must be a text"},
             {R"({"name":1,"list":["b","c"]})", "name must be a text"},
             {R"({"name":"a"})", "list must be a list of texts"},
             {R"({"name":"a","list":"b"})", "list must be a list of texts"},
             {R"({"name":"a","list":["b",3]})", "list must be a list of texts"},
             {R"({"name":"a","list":["b","c"],"at":"tomorrow"})",
              "at must be a time like 2027-01-31T12:00:00Z (RFC 3339)"},
             {R"({"name":"a","list":["b","c"],"at":7})", "at must be a text"},
             {R"({"name":"a","list":["b","c"],"more":{}})", "unknown field 'more'"},
             {R"({"name":"a","name":"a"})", "a key stands twice in one object"},
             {R"({"name":[[]]})", "nested deeper than 2 levels"},
         }) {
        EXPECT_EQ(problem(json), expected) << json;
    }
}

TEST(JsonFields, ANullIsAValue) {
    JsonFields fields = JsonFields::parse(R"({"none":null})", 1).value();
    EXPECT_EQ(fields.take("other"), std::nullopt);
    EXPECT_EQ(fields.take("none"), Json(nullptr));
    EXPECT_EQ(fields.take("none"), std::nullopt);
    EXPECT_TRUE(fields.end());
}

}  // namespace
}  // namespace berth::oci
