// Headers of answers: mod_headers' Header. RequestHeader is for what stands behind the site.
#include <algorithm>
#include <array>

#include "base/text.h"
#include "migrate/site.h"

namespace berth::migrate {

namespace {

// They are Berth's own, and a value from elsewhere would be wrong.
constexpr std::array<std::string_view, 8> kOwn{
    "connection", "content-length", "content-type",      "date",
    "location",   "range",          "transfer-encoding", "www-authenticate"};
// What Berth never sends.
constexpr std::array<std::string_view, 7> kNeverSent{
    "server", "x-powered-by", "set-cookie", "etag", "x-aspnet-version", "via", "pragma"};

struct HeaderLine {
    std::string action;
    std::string name;
    std::string value;
    std::string condition;
};

HeaderLine read_header(const Directive& directive) {
    auto words = directive.words;
    if (!words.empty() &&
        (equal_ignoring_case(words[0], "always") || equal_ignoring_case(words[0], "onsuccess"))) {
        words.erase(words.begin());
    }
    words.resize(std::max<std::size_t>(words.size(), 3));
    HeaderLine line{lower_case(words[0]), words[1], words[2], {}};
    if (line.name.ends_with(':')) line.name.pop_back();
    const bool has_value = line.action != "unset" && line.action != "echo";
    const std::size_t after = line.action.starts_with("edit") ? 4 : has_value ? 3 : 2;
    if (words.size() > after) line.condition = words[after];
    if (!has_value) line.value.clear();
    return line;
}

// %% is a percent sign; everything else with one is filled in for each request.
bool is_constant(std::string& value) {
    std::string plain;
    for (std::size_t i = 0; i < value.size(); ++i) {
        if (value[i] == '%') {
            ++i;
            if (i == value.size() || value[i] != '%') return false;
        }
        if (static_cast<unsigned char>(value[i]) < 0x20 || value[i] == 0x7f) return false;
        plain += value[i];
    }
    value = std::move(plain);
    return true;
}

// The member of http.headers of that name, whatever its case; made if missing.
YamlValue& values_of(Site& site, const std::string& name) {
    auto& headers = site.config.at({"http", "headers"});
    for (auto& member : headers.children) {
        if (equal_ignoring_case(member.key, name)) return member;
    }
    return headers.member(name);
}

void remove(Site& site, const std::string& name) {
    if (!site.config.find({"http", "headers"})) return;
    auto& headers = site.config.at({"http", "headers"});
    std::erase_if(headers.children,
                  [&](const YamlValue& member) { return equal_ignoring_case(member.key, name); });
}

std::vector<std::string> texts_of(const YamlValue& value) {
    if (value.kind == YamlValue::Kind::scalar) return {value.text};
    std::vector<std::string> texts;
    for (const auto& item : value.children)
        texts.push_back(item.text);
    return texts;
}

void set_header(Site& site, const Directive& directive, HeaderLine line) {
    const auto name = lower_case(line.name);
    if (name == "docker-distribution-api-version" && line.value == "registry/2.0") {
        site.report.needless(directive, "Berth sends it with every answer");
        return;
    }
    if (std::ranges::count(kOwn, name) > 0) {
        site.report.lost(directive, "Berth sets this field itself");
        return;
    }
    const bool by_tls = equal_ignoring_case(line.condition, "env=HTTPS") && site.tls;
    if (!line.condition.empty() && !by_tls) {
        site.report.lost(directive,
                         "http.headers knows no conditions; write it there if every "
                         "answer may have it");
        return;
    }
    if (line.name.empty() || !is_constant(line.value)) {
        site.report.lost(directive, "http.headers has constant values only");
        return;
    }
    auto& member = values_of(site, line.name);
    auto values = texts_of(member);
    if (line.action == "set") values.clear();
    if (line.action == "append" && !values.empty()) {
        values.back() += ", " + line.value;
    } else if (line.action == "merge" && !values.empty()) {
        const auto known = split(values.back(), ", ");
        if (std::ranges::count(known, line.value) == 0) values.back() += ", " + line.value;
    } else if (line.action != "setifempty" || values.empty()) {
        values.push_back(line.value);
    }
    auto written = YamlValue::of(values);
    written.key = member.key;
    member = std::move(written);
    site.report.carried(directive, "http.headers: with every answer");
}

void translate_header(Site& site, const Directive& directive) {
    const auto line = read_header(directive);
    const auto name = lower_case(line.name);
    if (line.action == "unset") {
        remove(site, line.name);
        if (std::ranges::count(kNeverSent, name) > 0) {
            site.report.needless(directive, "Berth does not send it");
        } else if (std::ranges::count(kOwn, name) > 0) {
            site.report.lost(directive, "Berth needs this field");
        } else {
            site.report.carried(directive, "it is not in http.headers");
        }
    } else if (line.action.starts_with("edit")) {
        if (name == "location") {
            site.report.needless(directive, "Berth names the address that the client asked for");
        } else if (name == "set-cookie") {
            site.report.needless(directive, "Berth sends none");
        } else {
            site.report.lost(directive, "Berth edits no header");
        }
    } else if (line.action == "set" || line.action == "add" || line.action == "append" ||
               line.action == "merge" || line.action == "setifempty") {
        set_header(site, directive, line);
    } else {
        site.report.lost(directive, "Berth has nothing like it");
    }
}

void translate_request_header(Site& site, const Directive& directive) {
    const auto name = lower_case(directive.word(1));
    if (name == "authorization") {
        site.report.needless(directive, "Berth passes nothing on, and logs no password");
    } else if (name.starts_with("x-forwarded-") || name == "x-scheme" || name == "host" ||
               name == "front-end-https" || name == "forwarded") {
        site.report.needless(directive, "Berth sees the client itself");
    } else {
        site.report.needless(directive, "there is nothing behind Berth that would read it");
    }
}

void translate_section(Site& site, const Directive& section, bool everywhere) {
    for (const auto& child : section.children) {
        if (child.key == "requestheader") translate_request_header(site, child);
        if (child.key == "header" && everywhere) translate_header(site, child);
        if (child.key == "header" && !everywhere) {
            site.report.lost(child,
                             "http.headers go with every answer; write it there if every "
                             "answer may have it");
        }
    }
}

}  // namespace

void translate_headers(Site& site) {
    for (const auto* directive : site.directives) {
        if (directive->key == "header") translate_header(site, *directive);
        if (directive->key == "requestheader") translate_request_header(site, *directive);
        if (directive->key == "<location" || directive->key == "<locationmatch" ||
            directive->key == "<proxy") {
            auto path = std::string(directive->word(0));
            if (!path.ends_with('/')) path += '/';
            const bool everywhere =
                directive->key == "<location" && (site.prefix + "v2/").starts_with(path);
            translate_section(site, *directive, everywhere);
        }
    }
}

}  // namespace berth::migrate
