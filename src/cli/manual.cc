#include <fstream>
#include <memory>

#include "app/config_keys.h"
#include "cli/command_tree.h"
#include "cli/commands.h"

namespace berth::cli {

namespace {

constexpr std::string_view kServer = R"(.SH SIGNALS
.TP
.B SIGTERM, SIGINT
no new requests; those under way have \fBhttp.draintimeout\fR to end
.TP
.B SIGHUP
certificates and the policy are read again, and logs are opened anew
.TP
.B SIGUSR1
logs are opened anew
.SH ENVIRONMENT
.TP
.B REGISTRY_CONFIGURATION_PATH
the configuration, where none is named
.TP
.B REGISTRY_A_B
sets the key \fBa.b\fR of the configuration
.TP
.B LISTEN_FDS, NOTIFY_SOCKET, WATCHDOG_USEC
systemd's sockets, and whether it wants to know when the server is ready
)";

constexpr std::string_view kFiles = R"(.SH FILES
.TP
.I /etc/berth/config.yml
the configuration
.TP
.I /var/lib/berth
the images, where the configuration of the package says so
.SH EXIT STATUS
0: done; 1: it failed; 2: the command line is wrong
)";

// Text that troff reads as it stands: `-` would become a hyphen, and a dot or a quote at the start
// of a line a request.
std::string roff(std::string_view text) {
    std::string escaped;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool starts_line = i == 0 || text[i - 1] == '\n';
        if (starts_line && (text[i] == '.' || text[i] == '\'')) escaped += "\\&";
        if (text[i] == '\\') {
            escaped += "\\e";
        } else if (text[i] == '-') {
            escaped += "\\-";
        } else {
            escaped += text[i];
        }
    }
    return escaped;
}

std::string preformatted(std::string_view text) {
    return ".nf\n" + roff(text) + "\n.fi\n";
}

std::string heading(std::string title, std::string_view section) {
    for (auto& letter : title)
        if (letter >= 'a' && letter <= 'z') letter = static_cast<char>(letter - 'a' + 'A');
    return ".TH " + roff(title) + " " + std::string(section) +
           " \"\" \"Berth " BERTH_VERSION "\" \"Berth\"\n";
}

std::string page_name(const CommandText& command) {
    std::string name;
    for (const auto& word : command.words)
        name += (name.empty() ? "" : "-") + word;
    return name;
}

std::string synopsis(const CommandText& command) {
    std::string text = ".B " + roff(command.line()) + "\n";
    std::string arguments = "[\\fIOPTIONS\\fR]";
    for (const auto& option : command.options) {
        if (!option.names.empty()) continue;
        const auto name = "\\fI" + roff(option.value) + "\\fR" + (option.many ? "\\&..." : "");
        const bool bracketed = option.required || option.value.starts_with('[');
        arguments += bracketed ? " " + name : " [" + name + "]";
    }
    if (!command.commands.empty()) arguments += " \\fICOMMAND\\fR";
    return text + arguments + "\n";
}

std::string option_paragraphs(const CommandText& command) {
    std::string text;
    for (const auto& option : command.options) {
        if (option.names.empty() && option.description.empty()) continue;
        std::string names;
        for (const auto& name : option.names)
            names += (names.empty() ? "\\fB" : ", \\fB") + roff(name) + "\\fR";
        const auto value = option.value.empty() ? "" : "\\fI" + roff(option.value) + "\\fR";
        text += ".TP\n" + names + (names.empty() || value.empty() ? "" : " ") + value + "\n" +
                roff(option.description) + "\n";
    }
    return text;
}

void add_details(const CommandText& command, std::string& page) {
    for (const auto& below : command.commands) {
        page += ".SS " + roff(below.line()) + "\n" + roff(below.description) + ".\n.PP\n" +
                synopsis(below) + option_paragraphs(below);
        if (!below.footer.empty()) page += ".PP\n" + preformatted(below.footer);
        add_details(below, page);
    }
}

std::string command_page(const CommandText& command) {
    auto page = heading(page_name(command), "1") + ".SH NAME\n" + roff(page_name(command)) +
                " \\- " + roff(command.description) + "\n.SH SYNOPSIS\n" + synopsis(command);
    page += ".SH OPTIONS\n" + option_paragraphs(command);
    if (!command.commands.empty()) page += ".SH COMMANDS\n";
    add_details(command, page);
    if (!command.footer.empty()) page += ".SH NOTES\n" + preformatted(command.footer);
    if (command.name() == "serve") page += kServer;
    return page + std::string(kFiles) +
           ".SH SEE ALSO\n.BR berth (1),\n.BR berth\\-config.yml (5)\n";
}

std::string root_page(const CommandText& root) {
    auto page = heading(root.name(), "1") + ".SH NAME\n" + roff(root.name()) + " \\- " +
                roff(root.description) + "\n.SH SYNOPSIS\n" + synopsis(root) + ".SH COMMANDS\n";
    for (const auto& command : root.commands) {
        page +=
            ".TP\n.BR " + roff(page_name(command)) + " (1)\n" + roff(command.description) + "\n";
    }
    page += ".SH OPTIONS\n" + option_paragraphs(root) + ".SH EXAMPLES\n" +
            preformatted(root.footer) + std::string(kFiles);
    return page + ".SH SEE ALSO\n.BR berth\\-config.yml (5)\n";
}

std::string_view state_text(app::KeyState state) {
    switch (state) {
        case app::KeyState::served:
            return "";
        case app::KeyState::ignored:
            return "accepted, has no effect";
        case app::KeyState::warned:
            return "accepted with a warning";
        case app::KeyState::refused:
            return "refused";
    }
    return "";
}

std::string keys_page() {
    std::string page = heading("berth-config.yml", "5") +
                       ".SH NAME\nberth\\-config.yml \\- the configuration of Berth\n"
                       ".SH DESCRIPTION\n"
                       "YAML, in the form of registry:2's \\fIconfig.yml\\fR, version 0.1, with "
                       "Berth's own sections. An unknown key is an error.\n"
                       ".B berth config check\nsays what is wrong with a file, and\n"
                       ".B berth config print\nwhat is in force.\n"
                       "In the names below \\fB*\\fR stands for any name and \\fB[]\\fR for the "
                       "items of a list.\n.SH KEYS\n";
    for (const auto& key : app::config_keys()) {
        std::string text(state_text(key.state));
        if (!key.note.empty()) text += (text.empty() ? "" : ": ") + std::string(key.note);
        page += text.empty() ? ".br\n\\fB" + roff(key.path) + "\\fR\n"
                             : ".br\n\\fB" + roff(key.path) + "\\fR (" + roff(text) + ")\n";
    }
    return page + ".SH FILES\n.I /etc/berth/config.yml\n.SH SEE ALSO\n.BR berth (1)\n";
}

Result<void> write_page(const std::string& path, const std::string& text) {
    std::ofstream file(path, std::ios::binary);
    file << text;
    file.close();
    if (!file) return fail(Errc::io, "cannot write " + path);
    return {};
}

Result<void> write_manual(const CLI::App& app, const std::string& folder) {
    const auto root = command_tree(app);
    BERTH_CHECK(write_page(folder + "/berth.1", root_page(root)));
    for (const auto& command : root.commands) {
        BERTH_CHECK(write_page(folder + "/" + page_name(command) + ".1", command_page(command)));
    }
    return write_page(folder + "/berth-config.yml.5", keys_page());
}

}  // namespace

void add_manual(CLI::App& app, Run& run) {
    const auto folder = std::make_shared<std::string>();
    auto* command = app.add_subcommand("manual", "write the manual's pages into a folder");
    command->group("");
    command->add_option("FOLDER", *folder)->required();
    command->callback(
        [folder, &app, &run] { run = [folder, &app] { return write_manual(app, *folder); }; });
}

}  // namespace berth::cli
