#include "cli/command_tree.h"

namespace berth::cli {

namespace {

constexpr const char* kValue = "VALUE";

// What both forms have.
OptionText option_text(const CLI::Option& option) {
    OptionText text;
    text.description = option.get_description();
    text.required = option.get_required();
    text.many = option.get_items_expected_max() > 1;
    if (option.get_items_expected_max() > 0) {
        text.value = option.get_positional() ? option.get_name(true) : kValue;
    }
    return text;
}

std::vector<std::string> dashed_names(const CLI::Option& option) {
    std::vector<std::string> names;
    for (const auto& name : option.get_snames())
        names.push_back("-" + name);
    for (const auto& name : option.get_lnames())
        names.push_back("--" + name);
    return names;
}

bool shown(const CLI::App* app) {
    return !app->get_group().empty() && !app->get_name().empty();
}

CommandText command_text(const CLI::App& app, std::vector<std::string> words) {
    CommandText text;
    words.push_back(app.get_name());
    text.words = std::move(words);
    text.description = app.get_description();
    text.footer = app.get_footer();
    std::vector<OptionText> named;
    for (const auto* option : app.get_options()) {
        if (option->get_group().empty()) continue;
        auto form = option_text(*option);
        if (option->get_positional()) text.options.push_back(form);
        form.names = dashed_names(*option);
        if (!form.names.empty()) named.push_back(std::move(form));
    }
    for (auto& option : named)
        text.options.push_back(std::move(option));
    for (const auto* command : app.get_subcommands([](const CLI::App*) { return true; })) {
        if (shown(command)) text.commands.push_back(command_text(*command, text.words));
    }
    return text;
}

void add_below(const CommandText& command, std::vector<const CommandText*>& all) {
    all.push_back(&command);
    for (const auto& below : command.commands)
        add_below(below, all);
}

}  // namespace

std::string CommandText::line() const {
    std::string line;
    for (const auto& word : words)
        line += (line.empty() ? "" : " ") + word;
    return line;
}

CommandText command_tree(const CLI::App& app) {
    return command_text(app, {});
}

std::vector<const CommandText*> all_commands(const CommandText& root) {
    std::vector<const CommandText*> all;
    add_below(root, all);
    return all;
}

}  // namespace berth::cli
