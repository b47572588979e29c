// A strict reader of Prometheus' text format, for tests: it fails the test for whatever the format
// does not allow, and for series that do not fit their family.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <string>

namespace berth {

// Series as they are written, `name{label="value"}`, and their numbers' text.
struct Exposition {
    std::map<std::string, std::string> types;  // by family
    std::map<std::string, std::string> values;

    std::string value(const std::string& series) const {
        const auto found = values.find(series);
        return found == values.end() ? "none" : found->second;
    }
};

namespace exposition_detail {

// The family of a series' name: of a histogram's `x_bucket` it is `x`.
inline std::string family_of(const std::string& name, const Exposition& read) {
    for (const std::string suffix : {"_bucket", "_sum", "_count"}) {
        if (!name.ends_with(suffix)) continue;
        const std::string family = name.substr(0, name.size() - suffix.size());
        const auto type = read.types.find(family);
        if (type != read.types.end() && type->second == "histogram") return family;
    }
    return name;
}

}  // namespace exposition_detail

inline Exposition read_exposition(const std::string& text) {
    static const std::regex kHelp(R"(# HELP ([a-z_][a-z0-9_]*) (\S.*))");
    static const std::regex kType(R"(# TYPE ([a-z_][a-z0-9_]*) (counter|gauge|histogram))");
    const std::string label = R"([a-z_]+="(?:[^"\\]|\\["\\n])*")";
    static const std::regex kSeries("([a-z_][a-z0-9_]*)(\\{" + label + "(?:," + label +
                                    ")*\\})? (\\S+)");
    static const std::regex kNumber(R"(-?[0-9]+(\.[0-9]+)?(e[+-][0-9]{2,3})?|[+-]Inf|NaN)");
    Exposition read;
    std::set<std::string> helped;
    std::string current;
    EXPECT_TRUE(text.empty() || text.ends_with('\n')) << "the last line has no end";
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        SCOPED_TRACE(line);
        std::smatch match;
        if (std::regex_match(line, match, kHelp)) {
            EXPECT_TRUE(helped.insert(match[1]).second) << "helped twice";
            current = match[1];
        } else if (std::regex_match(line, match, kType)) {
            EXPECT_EQ(match[1], current) << "its help comes before";
            EXPECT_TRUE(read.types.emplace(match[1], match[2]).second) << "two families";
        } else if (std::regex_match(line, match, kSeries)) {
            const std::string family = exposition_detail::family_of(match[1], read);
            EXPECT_EQ(family, current) << "a family's series stand together";
            EXPECT_TRUE(read.types.contains(family)) << "no type";
            EXPECT_TRUE(std::regex_match(match[3].str(), kNumber)) << "no number";
            EXPECT_TRUE(read.values.emplace(match[1].str() + match[2].str(), match[3]).second)
                << "twice";
        } else {
            ADD_FAILURE() << "not a line of the format";
        }
    }
    return read;
}

}  // namespace berth
