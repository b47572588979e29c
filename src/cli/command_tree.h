// The commands and options that the parser knows, as plain values: what the manual and the shells'
// completion are made from, so that neither can lag behind.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace berth::cli {

struct OptionText {
    std::vector<std::string> names;  // with their dashes; empty: a positional
    std::string value;               // what follows the name, or stands as the positional
    std::string description;
    bool required = false;
    bool many = false;

    bool takes_value() const { return !value.empty(); }
};

struct CommandText {
    std::vector<std::string> words;  // `berth`, `policy`, `explain`
    std::string description;
    std::string footer;
    std::vector<OptionText> options;  // positionals first, then `--help` and the others
    std::vector<CommandText> commands;

    const std::string& name() const { return words.back(); }
    std::string line() const;  // the words with blanks between them
};

// Without what has an empty group, which is hidden from the help too.
CommandText command_tree(const CLI::App& app);

// `root` and all commands below it, each before its own.
std::vector<const CommandText*> all_commands(const CommandText& root);

}  // namespace berth::cli
