// Directive: one line or section of Apache's configuration, as the parser found it.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace berth::migrate {

struct Directive {
    std::string name;                // as it is written: SSLEngine, Location
    std::string key;                 // in lower case, of a section with < before it: <location
    std::string written;             // its arguments as they stand in the file
    std::string arguments;           // the same with ${VARIABLES} put in
    std::vector<std::string> words;  // the arguments taken apart, without quotes
    std::string place;               // file:line
    std::size_t order = 0;           // counts through all files, as Apache reads them
    std::vector<Directive> children;

    bool is_section() const { return key.starts_with('<'); }
    // The word of that number; empty: there are fewer.
    std::string_view word(std::size_t index) const;
    // As it stands in the file, for a report: what may be a secret is hidden.
    std::string line() const;
};

// The parts between the separators that are not empty.
std::vector<std::string> split(std::string_view text, std::string_view separators);

}  // namespace berth::migrate
