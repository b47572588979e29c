#include "migrate/apache_parser.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "base/text.h"
#include "migrate/conditions.h"

namespace berth::migrate {

namespace {

constexpr std::size_t kBytesMax = 4 << 20;  // of all files together
constexpr std::size_t kLineBytesMax = 64 << 10;
constexpr std::size_t kDirectivesMax = 20'000;
constexpr std::size_t kFilesMax = 256;
constexpr std::size_t kIncludeDepthMax = 16;
constexpr std::size_t kSectionDepthMax = 32;
constexpr std::string_view kBlanks = " \t\v\f\r";

std::string_view trim(std::string_view text) {
    const auto first = text.find_first_not_of(kBlanks);
    if (first == text.npos) return {};
    return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

// Of `</Name>`.
std::string closed_name(std::string_view line) {
    return std::string(trim(line.substr(2, line.find('>') - 2)));
}

// The lines of one file, those that end with a backslash joined with the next.
class Lines {
  public:
    Lines(std::string name, std::string text) : name_(std::move(name)), text_(std::move(text)) {}

    // Empty: the end. Blank lines and comments are passed over.
    Result<std::string> next() {
        while (at_ < text_.size()) {
            std::string line = read();
            if (line.size() > kLineBytesMax) return fail(Errc::invalid, place() + ": too long");
            const auto text = trim(line);
            if (!text.empty() && text.front() != '#') return std::string(text);
        }
        return std::string();
    }
    // Of the line that next() gave.
    std::string place() const { return name_ + ":" + std::to_string(begun_); }

  private:
    std::string read() {
        std::string line;
        begun_ = number_ + 1;
        while (at_ < text_.size()) {
            const auto end = std::min(text_.find('\n', at_), text_.size());
            std::string_view part = std::string_view(text_).substr(at_, end - at_);
            at_ = end + 1;
            ++number_;
            if (part.ends_with('\r')) part.remove_suffix(1);
            const bool continued = part.ends_with('\\');
            if (continued) part.remove_suffix(1);
            line += part;
            if (!continued) break;
        }
        return line;
    }

    std::string name_;
    std::string text_;
    std::size_t at_ = 0;
    std::size_t number_ = 0;
    std::size_t begun_ = 0;
};

class Parser {
  public:
    Parser(const Sources& sources, Report& report)
        : sources_(sources), report_(report), server_root_(sources.server_root) {}

    Result<ParsedSite> parse() {
        Directive root;
        BERTH_CHECK(parse_file(sources_.site_path, root, {}));
        return ParsedSite{std::move(root.children), server_root_};
    }

  private:
    struct Depth {
        std::size_t files = 0;
        std::size_t sections = 0;
    };

    Result<void> parse_file(const std::string& path, Directive& parent, Depth depth);
    Result<void> parse_lines(Lines& lines, Directive& parent, const Directive* open, Depth depth);
    Result<void> parse_section(Lines& lines, Directive section, Directive& parent, Depth depth);
    Result<void> skip(Lines& lines, const Directive& section);
    Result<void> take_directive(Directive directive, Directive& parent, Depth depth);
    Result<void> include(const Directive& directive, Directive& parent, Depth depth);
    Result<Directive> read_directive(const std::string& line, const std::string& place);
    Result<std::string> resolve(std::string_view text, const std::string& place) const;

    const Sources& sources_;
    Report& report_;
    std::string server_root_;
    std::map<std::string, std::string> variables_;
    std::set<std::string> defined_;
    std::size_t bytes_ = 0;
    std::size_t files_ = 0;
    std::size_t count_ = 0;
};

Result<void> Parser::parse_file(const std::string& path, Directive& parent, Depth depth) {
    BERTH_TRY(auto text, sources_.read(path));
    bytes_ += text.size();
    if (++files_ > kFilesMax || bytes_ > kBytesMax) {
        return fail(Errc::invalid, path + ": too many or too large files");
    }
    if (text.contains('\0')) return fail(Errc::invalid, path + ": this is no text");
    Lines lines(path, std::move(text));
    return parse_lines(lines, parent, nullptr, depth);
}

// Until the line that closes `open`, or, if that is null, the end of the file.
Result<void> Parser::parse_lines(Lines& lines, Directive& parent, const Directive* open,
                                 Depth depth) {
    for (;;) {
        BERTH_TRY(const auto line, lines.next());
        if (line.empty()) {
            if (!open) return {};
            return fail(Errc::invalid, open->place + ": <" + open->name + "> is not closed");
        }
        if (line.starts_with("</")) {
            if (open && equal_ignoring_case(closed_name(line), open->name)) return {};
            return fail(Errc::invalid, lines.place() + ": </" + closed_name(line) + "> closes " +
                                           (open ? "<" + open->name + "> of " + open->place
                                                 : std::string("nothing")));
        }
        BERTH_TRY(auto directive, read_directive(line, lines.place()));
        if (directive.is_section()) {
            BERTH_CHECK(parse_section(lines, std::move(directive), parent,
                                      {depth.files, depth.sections + 1}));
        } else {
            BERTH_CHECK(take_directive(std::move(directive), parent, depth));
        }
    }
}

Result<void> Parser::parse_section(Lines& lines, Directive section, Directive& parent,
                                   Depth depth) {
    if (depth.sections > kSectionDepthMax) {
        return fail(Errc::invalid, section.place + ": sections nested too deep");
    }
    const ConditionFacts facts{
        defined_, [this](const std::string& path) { return sources_.read(path).has_value(); }};
    const auto condition = evaluate_condition(section, facts);
    if (!condition) {
        BERTH_CHECK(parse_lines(lines, section, &section, depth));
        parent.children.push_back(std::move(section));
        return {};
    }
    report_.add(section, condition->fate, condition->text);
    return condition->taken ? parse_lines(lines, parent, &section, depth) : skip(lines, section);
}

// To the line that closes `section`, whatever stands before it.
Result<void> Parser::skip(Lines& lines, const Directive& section) {
    std::vector<std::string> open{section.key.substr(1)};
    while (!open.empty()) {
        BERTH_TRY(const auto line, lines.next());
        if (line.empty())
            return fail(Errc::invalid, section.place + ": <" + section.name + "> is not closed");
        if (line.starts_with("</")) {
            if (!equal_ignoring_case(closed_name(line), open.back())) {
                return fail(Errc::invalid, lines.place() + ": </" + closed_name(line) +
                                               "> closes <" + open.back() + ">");
            }
            open.pop_back();
        } else if (line.starts_with('<')) {
            const auto end = std::min(line.find_first_of(" \t>"), line.size());
            open.push_back(lower_case(std::string_view(line).substr(1, end - 1)));
            if (open.size() > kSectionDepthMax) {
                return fail(Errc::invalid, lines.place() + ": sections nested too deep");
            }
        }
    }
    return {};
}

// Lines that change how the following ones are read take effect here.
Result<void> Parser::take_directive(Directive directive, Directive& parent, Depth depth) {
    const auto& key = directive.key;
    if (key == "include" || key == "includeoptional") {
        return include(directive, parent, depth);
    }
    if (key == "define" && !directive.words.empty()) {
        defined_.insert(directive.words[0]);
        if (directive.words.size() > 1) variables_[directive.words[0]] = directive.words[1];
        report_.needless(directive, "taken into account");
        return {};
    }
    if (key == "undefine" && !directive.words.empty()) {
        defined_.erase(directive.words[0]);
        variables_.erase(directive.words[0]);
        report_.needless(directive, "taken into account");
        return {};
    }
    if (key == "serverroot" && !directive.words.empty()) {
        server_root_ = directive.words[0];
        report_.needless(directive, "taken into account: relative paths start there");
        return {};
    }
    parent.children.push_back(std::move(directive));
    return {};
}

Result<void> Parser::include(const Directive& directive, Directive& parent, Depth depth) {
    const bool optional = directive.key == "includeoptional";
    if (directive.words.empty()) return fail(Errc::invalid, directive.place + ": names no file");
    std::string pattern = directive.words[0];
    if (!pattern.starts_with('/')) pattern = server_root_ + "/" + pattern;
    if (++depth.files > kIncludeDepthMax) {
        return fail(Errc::invalid, directive.place + ": includes nested too deep");
    }
    const bool is_pattern = pattern.find_first_of("*?[") != std::string::npos;
    std::vector<std::string> paths{pattern};
    if (is_pattern) {
        paths = sources_.glob(pattern);
        std::ranges::sort(paths);
    } else if (optional && !sources_.read(pattern)) {
        paths.clear();
    }
    report_.needless(directive,
                     paths.empty() ? "there is no such file" : "read: " + join(paths, ", "));
    for (const auto& path : paths) {
        auto done = parse_file(path, parent, depth);
        if (done) continue;
        if (done.error().code == Errc::invalid) return done;
        return std::unexpected(std::move(done.error()).with_context(directive.place));
    }
    return {};
}

Result<Directive> Parser::read_directive(const std::string& line, const std::string& place) {
    Directive directive;
    directive.place = place;
    directive.order = ++count_;
    if (count_ > kDirectivesMax) return fail(Errc::invalid, place + ": too many directives");
    std::string_view rest = line;
    const bool section = rest.starts_with('<');
    if (section) {
        const auto end = rest.rfind('>');
        if (end == rest.npos) return fail(Errc::invalid, place + ": > is missing");
        rest = rest.substr(1, end - 1);
    }
    const auto end = std::min(rest.find_first_of(kBlanks), rest.size());
    directive.name = rest.substr(0, end);
    if (directive.name.empty()) return fail(Errc::invalid, place + ": a section without a name");
    directive.key = (section ? "<" : "") + lower_case(directive.name);
    directive.written = trim(rest.substr(end));
    BERTH_TRY(directive.arguments, resolve(directive.written, place));
    directive.words = split_words(directive.arguments);
    return directive;
}

// A variable that nothing defines stays as it is, as with Apache.
Result<std::string> Parser::resolve(std::string_view text, const std::string& place) const {
    std::string resolved;
    while (!text.empty()) {
        const auto begin = text.find("${");
        const auto end = begin == text.npos ? text.npos : text.find('}', begin);
        if (end == text.npos) {
            resolved += text;
            break;
        }
        resolved += text.substr(0, begin);
        const std::string name(text.substr(begin + 2, end - begin - 2));
        if (const auto known = variables_.find(name); known != variables_.end()) {
            resolved += known->second;
        } else if (const auto value = sources_.variable(name)) {
            resolved += *value;
        } else {
            resolved += text.substr(begin, end + 1 - begin);
        }
        text.remove_prefix(end + 1);
        if (resolved.size() > kLineBytesMax) break;
    }
    if (resolved.size() > kLineBytesMax) return fail(Errc::invalid, place + ": too long");
    return resolved;
}

}  // namespace

std::vector<std::string> split_words(std::string_view text) {
    std::vector<std::string> words;
    for (;;) {
        const auto begin = text.find_first_not_of(kBlanks);
        if (begin == text.npos) return words;
        text.remove_prefix(begin);
        std::string word;
        const char quote = text.front();
        if (quote != '"' && quote != '\'') {
            const auto end = std::min(text.find_first_of(kBlanks), text.size());
            word = text.substr(0, end);
            text.remove_prefix(end);
        } else {
            text.remove_prefix(1);
            while (!text.empty() && text.front() != quote) {
                const bool escaped = text.size() > 1 && text.front() == '\\' &&
                                     (text[1] == quote || text[1] == '\\');
                if (escaped) text.remove_prefix(1);
                word += text.front();
                text.remove_prefix(1);
            }
            if (!text.empty()) text.remove_prefix(1);
        }
        words.push_back(std::move(word));
    }
}

Result<ParsedSite> parse_apache(const Sources& sources, Report& report) {
    return Parser(sources, report).parse();
}

}  // namespace berth::migrate
