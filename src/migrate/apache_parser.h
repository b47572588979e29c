// The grammar of Apache 2.4's configuration: logical lines, quotes, nested sections, variables,
// includes, and the sections whose conditions are known when the file is read.
//
// Hostile input is expected: depth, files, lines and their sizes are bounded.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "migrate/apache.h"
#include "migrate/directive.h"
#include "migrate/report.h"

namespace berth::migrate {

struct ParsedSite {
    std::vector<Directive> directives;
    std::string server_root;
};

// Includes are put in where they stand; <IfModule>, <IfDefine>, <IfVersion>, <IfFile>,
// <IfDirective> and <IfSection> are gone, with a line in the report that says what was taken.
Result<ParsedSite> parse_apache(const Sources& sources, Report& report);

// Apache's ap_getword_conf until nothing is left.
std::vector<std::string> split_words(std::string_view text);

}  // namespace berth::migrate
