#include "metrics/family.h"

#include <charconv>
#include <cmath>

namespace berth::metrics {
namespace {

std::string_view name_of(Kind kind) {
    switch (kind) {
        case Kind::counter:
            return "counter";
        case Kind::gauge:
            return "gauge";
        case Kind::histogram:
            return "histogram";
    }
    return "untyped";
}

enum class Quotes { plain, escaped };

void append_escaped(std::string& out, std::string_view text, Quotes quotes) {
    for (const char c : text) {
        if (c == '\\') {
            out += "\\\\";
        } else if (c == '\n') {
            out += "\\n";
        } else if (c == '"' && quotes == Quotes::escaped) {
            out += "\\\"";
        } else {
            out += c;
        }
    }
}

void append_sample(std::string& out, const std::string& name, const Sample& sample) {
    out.append(name).append(sample.suffix);
    char separator = '{';
    for (const auto& [label, value] : sample.labels) {
        out.append(1, separator).append(label).append("=\"");
        append_escaped(out, value, Quotes::escaped);
        out += '"';
        separator = ',';
    }
    if (!sample.labels.empty()) out += '}';
    out.append(" ").append(format_number(sample.value)).append("\n");
}

}  // namespace

std::string exposition(const std::vector<Family>& families) {
    std::string out;
    for (const Family& family : families) {
        if (family.samples.empty()) continue;
        out.append("# HELP ").append(family.name).append(" ");
        append_escaped(out, family.help, Quotes::plain);
        out.append("\n# TYPE ").append(family.name).append(" ");
        out.append(name_of(family.kind)).append("\n");
        for (const Sample& sample : family.samples)
            append_sample(out, family.name, sample);
    }
    return out;
}

std::string format_number(double number) {
    if (std::isnan(number)) return "NaN";
    if (std::isinf(number)) return number > 0 ? "+Inf" : "-Inf";
    // Go goes over to exponents at a million when it looks for the shortest text.
    constexpr double kPlainMax = 1e6, kPlainMin = 1e-4;
    const double size = std::abs(number);
    const bool plain = size == 0 || (size < kPlainMax && size >= kPlainMin);
    char text[400];
    const auto [end, error] =
        std::to_chars(text, text + sizeof text, number,
                      plain ? std::chars_format::fixed : std::chars_format::scientific);
    return error == std::errc() ? std::string(text, end) : "NaN";
}

}  // namespace berth::metrics
