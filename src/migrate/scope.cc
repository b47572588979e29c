#include "migrate/scope.h"

#include <algorithm>
#include <array>
#include <optional>

namespace berth::migrate {

namespace {

constexpr std::size_t kAlternativesMax = 64;
constexpr std::array<std::string_view, 4> kEndings{"manifests", "blobs", "tags", "referrers"};

// Of a name that ends like a path within a repository, it cannot be told which is meant.
bool is_ambiguous(std::string_view name) {
    const auto last = name.substr(name.rfind('/') + 1);
    return std::ranges::count(kEndings, last) > 0 || name.contains("/manifests/") ||
           name.contains("/blobs/") || name.contains("/tags/") || name.contains("/referrers/");
}

bool is_name(std::string_view name) {
    constexpr std::string_view kAlphabet = "abcdefghijklmnopqrstuvwxyz0123456789._-/*";
    return name.find_first_not_of(kAlphabet) == name.npos && !name.starts_with('/') &&
           !name.contains("//") && !name.contains("**");
}

// The part of `path` behind `start`. `open`: any path that starts with `path` is meant, else `path`
// alone.
Scope scope_below(std::string_view path, bool open, std::string_view start) {
    Scope scope;
    if (!path.starts_with(start)) {
        // Does it end on the way to `start`?
        const bool leads_there = open && start.starts_with(path);
        scope.kind = leads_there ? Scope::Kind::everything : Scope::Kind::nothing;
        return scope;
    }
    path.remove_prefix(start.size());
    if (path.empty()) {
        // GET /v2/ alone is nothing that Berth decides about.
        scope.kind = open ? Scope::Kind::everything : Scope::Kind::nothing;
        return scope;
    }
    if (path == "_catalog" || path == "_catalog/") {
        scope.kind = Scope::Kind::part;
        scope.catalog = true;
        return scope;
    }
    const bool whole = path.ends_with('/');
    if (whole) path.remove_suffix(1);
    if (!open || path.empty() || path.ends_with('*')) return scope;
    if (!is_name(path)) {
        scope.kind = Scope::Kind::nothing;  // no repository is called so
        return scope;
    }
    if (is_ambiguous(path)) return scope;
    scope.kind = Scope::Kind::part;
    scope.repositories.push_back({std::string(path), whole});
    return scope;
}

void add(Scope& to, const Scope& more) {
    if (more.kind == Scope::Kind::nothing || to.kind == Scope::Kind::unknown) return;
    if (more.kind != Scope::Kind::part || to.kind == Scope::Kind::everything) {
        to.kind = more.kind == Scope::Kind::unknown ? more.kind : Scope::Kind::everything;
        return;
    }
    to.kind = Scope::Kind::part;
    to.catalog = to.catalog || more.catalog;
    to.repositories.insert(to.repositories.end(), more.repositories.begin(),
                           more.repositories.end());
}

// A path that an expression stands for: its literal start, `*` in it for one component, and whether
// anything may follow.
struct Alternative {
    std::string path;
    bool open = false;
    bool done = false;  // nothing more can be added
};

class Expression {
  public:
    explicit Expression(std::string_view text) : text_(text) {}

    // nullopt: not understood.
    std::optional<std::vector<Alternative>> read() {
        if (!text_.starts_with('^')) return std::nullopt;
        text_.remove_prefix(1);
        alternatives_ = {Alternative{}};
        while (!text_.empty()) {
            if (!step()) return std::nullopt;
        }
        for (auto& one : alternatives_)
            one.open = one.open || !one.done;
        return std::move(alternatives_);
    }

  private:
    bool take(std::string_view word) {
        if (!text_.starts_with(word)) return false;
        text_.remove_prefix(word.size());
        return true;
    }
    void append(std::string_view text) {
        for (auto& one : alternatives_)
            one.path += text;
    }
    bool finish(bool open) {
        if (!text_.empty() && text_ != "$") return false;
        text_ = {};
        for (auto& one : alternatives_) {
            one.open = open;
            one.done = true;
        }
        return true;
    }
    bool step();
    bool group();

    std::string_view text_;
    std::vector<Alternative> alternatives_;
};

// `(a|b)`, `(?:a|b)` of literal texts.
bool Expression::group() {
    take("(");
    take("?:");
    const auto end = text_.find(')');
    if (end == text_.npos) return false;
    auto inside = text_.substr(0, end);
    text_.remove_prefix(end + 1);
    if (!text_.empty() && std::string_view("?*+{").contains(text_.front())) return false;
    if (inside.find_first_of("\\^$.[](){}?*+") != inside.npos) return false;
    std::vector<Alternative> more;
    for (;;) {
        const auto bar = inside.find('|');
        for (auto one : alternatives_) {
            one.path += inside.substr(0, bar);
            more.push_back(std::move(one));
        }
        if (more.size() > kAlternativesMax) return false;
        if (bar == inside.npos) break;
        inside.remove_prefix(bar + 1);
    }
    alternatives_ = std::move(more);
    return true;
}

bool Expression::step() {
    if (take("$")) return text_.empty() && finish(false);
    for (const std::string_view rest : {".*", "(.*)"}) {
        if (take(rest)) return finish(true);
    }
    for (const std::string_view rest : {"(/.*)?$", "(/|$)", "(?:/|$)", "(?:/.*)?$", "(/.*|$)"}) {
        if (!take(rest)) continue;
        append("/");
        return finish(true);
    }
    if (take("[^/]+") || take("([^/]+)")) {
        // In rules `*` may also stand for nothing, so it must be the whole component.
        const bool begins = std::ranges::all_of(
            alternatives_, [](const Alternative& one) { return one.path.ends_with('/'); });
        append("*");
        return begins && text_.starts_with('/');
    }
    if (text_ == "/?$") return take("/?$") && finish(false);
    if (text_.starts_with('(')) return group();
    if (take("\\")) {
        if (text_.empty() || !std::string_view("./-_").contains(text_.front())) return false;
    } else if (std::string_view(".[]){}?*+|^").contains(text_.front())) {
        return false;
    }
    const char c = text_.front();
    text_.remove_prefix(1);
    if (!text_.empty() && std::string_view("?*+{").contains(text_.front())) return false;
    append(std::string_view(&c, 1));
    return true;
}

}  // namespace

std::vector<std::string> RepositoryPrefix::patterns() const {
    if (whole) return {base, base + "/**"};
    return {base + "**"};
}

Relation relation(const RepositoryPrefix& a, const RepositoryPrefix& b) {
    if (a == b) return Relation::equal;
    const auto star_a = a.base.find('*'), star_b = b.base.find('*');
    if (star_a == a.base.npos && star_b == b.base.npos) {
        const auto inside = [](const RepositoryPrefix& one, const RepositoryPrefix& other) {
            if (!other.whole) return one.base.starts_with(other.base);
            return one.base.starts_with(other.base + "/") || (one.base == other.base && one.whole);
        };
        if (inside(a, b)) return Relation::inside;
        if (inside(b, a)) return Relation::around;
        return Relation::apart;
    }
    const std::string_view start_a = std::string_view(a.base).substr(0, star_a);
    const std::string_view start_b = std::string_view(b.base).substr(0, star_b);
    const bool alike = start_a.starts_with(start_b) || start_b.starts_with(start_a);
    return alike ? Relation::unknown : Relation::apart;
}

Scope scope_of_path(std::string_view path, std::string_view prefix) {
    // Wildcards of <Location> have rules of their own.
    if (path.find_first_of("*?[\\") != path.npos || !path.starts_with('/')) return {};
    const std::string start = std::string(prefix) + "v2/";
    // A path names itself and what lies below it, with or without its last slash.
    std::string whole(path);
    if (!whole.ends_with('/')) whole += '/';
    return scope_below(whole, true, start);
}

Scope scope_of_expression(std::string_view expression, std::string_view prefix) {
    const auto alternatives = Expression(expression).read();
    if (!alternatives) return {};
    const std::string start = std::string(prefix) + "v2/";
    Scope scope;
    scope.kind = Scope::Kind::nothing;
    for (const auto& one : *alternatives) {
        // A component that may be anything may also be v2.
        if (one.path.substr(0, start.size()).contains('*')) return {};
        add(scope, scope_below(one.path, one.open, start));
    }
    return scope;
}

}  // namespace berth::migrate
