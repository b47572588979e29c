#include <memory>

#include "cli/command_tree.h"
#include "cli/commands.h"
#include "cli/terminal.h"

namespace berth::cli {

namespace {

// In single quotes, as each of the three shells reads them; what the text has of quotes is left
// out: it is only shown.
std::string in_quotes(std::string_view text) {
    std::string safe = "'";
    for (const char c : text)
        if (c != '\'' && c != '\\' && c != '\n') safe += c;
    return safe + "'";
}

std::string list_in_quotes(const std::vector<std::string>& texts, std::string_view between) {
    std::string all;
    for (const auto& text : texts)
        all += (all.empty() ? "" : std::string(between)) + in_quotes(text);
    return all;
}

// The lines of all commands but the first: words that lead from one place of the tree to another.
std::vector<std::string> steps(const std::vector<const CommandText*>& places) {
    std::vector<std::string> lines;
    for (const auto* place : places)
        if (place->words.size() > 1) lines.push_back(place->line());
    return lines;
}

std::string words(const CommandText& place) {
    std::string all;
    for (const auto& command : place.commands)
        all += (all.empty() ? "" : " ") + command.name();
    return all;
}

std::string dashed_words(const CommandText& place) {
    std::string all;
    for (const auto& option : place.options)
        for (const auto& name : option.names)
            all += (all.empty() ? "" : " ") + name;
    return all;
}

std::string bash(const std::vector<const CommandText*>& places) {
    std::string text = R"(# bash completion for berth, made by `berth completion bash`
_berth() {
    local cur=${COMP_WORDS[COMP_CWORD]} place=berth commands='' options='' i
    for ((i = 1; i < COMP_CWORD; i++)); do
        case "$place ${COMP_WORDS[i]}" in
            )" + list_in_quotes(steps(places), "|") +
                       R"()
                place="$place ${COMP_WORDS[i]}" ;;
        esac
    done
    case $place in
)";
    for (const auto* place : places) {
        text += "        " + in_quotes(place->line()) +
                ")\n            commands=" + in_quotes(words(*place)) +
                "\n            options=" + in_quotes(dashed_words(*place)) + " ;;\n";
    }
    return text + R"(    esac
    if [[ $cur == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$options" -- "$cur")
    else
        mapfile -t COMPREPLY < <(compgen -W "$commands" -- "$cur")
    fi
}
complete -o bashdefault -o default -F _berth berth
)";
}

// `name:description`, as _describe takes them.
std::string described(std::string_view name, std::string_view description) {
    return in_quotes(std::string(name) + ":" + std::string(description));
}

std::string zsh(const std::vector<const CommandText*>& places) {
    std::string text = R"(#compdef berth
# zsh completion for berth, made by `berth completion zsh`
_berth() {
    local place=berth word
    local -a commands options
    for word in "${(@)words[2,CURRENT-1]}"; do
        case "$place $word" in
            )" + list_in_quotes(steps(places), "|") +
                       R"()
                place="$place $word" ;;
        esac
    done
    case $place in
)";
    for (const auto* place : places) {
        text += "        " + in_quotes(place->line()) + ")\n            commands=(\n";
        for (const auto& command : place->commands)
            text += "                " + described(command.name(), command.description) + "\n";
        text += "            )\n            options=(\n";
        for (const auto& option : place->options)
            for (const auto& name : option.names)
                text += "                " + described(name, option.description) + "\n";
        text += "            ) ;;\n";
    }
    return text + R"(    esac
    if [[ $PREFIX == -* ]]; then
        _describe -o option options
    elif (( $#commands )); then
        _describe command commands
    else
        _files
    fi
}
if [[ $funcstack[1] == _berth ]]; then
    _berth "$@"
else
    compdef _berth berth
fi
)";
}

// `-l config -s c` of an option's names.
std::string fish_names(const OptionText& option) {
    std::string all;
    for (const auto& name : option.names)
        all += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
    return all;
}

std::string fish(const std::vector<const CommandText*>& places) {
    std::string text = R"(# fish completion for berth, made by `berth completion fish`
function __berth_place
    set -l place berth
    for word in (commandline -opc)[2..-1]
        if contains -- "$place $word" )" +
                       list_in_quotes(steps(places), " ") + R"(
            set place "$place $word"
        end
    end
    echo $place
end
)";
    for (const auto* place : places) {
        const auto here = "complete -c berth -n 'test (__berth_place) = \"" + place->line() + "\"'";
        for (const auto& command : place->commands) {
            text += here + " -f -a " + in_quotes(command.name()) + " -d " +
                    in_quotes(command.description) + "\n";
        }
        for (const auto& option : place->options) {
            if (option.names.empty()) continue;
            text += here + fish_names(option) + (option.takes_value() ? " -r" : "") + " -d " +
                    in_quotes(option.description) + "\n";
        }
    }
    return text;
}

}  // namespace

void add_completion(CLI::App& app, Run& run) {
    const auto shell = std::make_shared<std::string>();
    auto* command = app.add_subcommand("completion", "print the completion for a shell");
    command->group("");
    command->add_option("SHELL", *shell, "bash, zsh or fish")
        ->required()
        ->check(CLI::IsMember({"bash", "zsh", "fish"}));
    command->callback([shell, &app, &run] {
        run = [shell, &app]() -> Result<void> {
            const auto root = command_tree(app);
            const auto places = all_commands(root);
            print(*shell == "bash" ? bash(places) : *shell == "zsh" ? zsh(places) : fish(places));
            return {};
        };
    });
}

}  // namespace berth::cli
