#include "migrate/expression.h"

#include <algorithm>
#include <optional>

namespace berth::migrate {

namespace {

constexpr std::size_t kTermsMax = 4096;

bool is_named(std::string_view subject) {
    return subject.starts_with("user:") || subject.starts_with("group:");
}

bool subject_inside(std::string_view subject, std::string_view other) {
    return subject == other || other == "everyone" ||
           (other == "authenticated" && is_named(subject));
}

// Who is both, as one subject; empty: nobody. nullopt: it takes two subjects to say it.
std::optional<std::string> both_subjects(const std::string& a, const std::string& b) {
    if (subject_inside(a, b)) return a;
    if (subject_inside(b, a)) return b;
    if (a == "anonymous" || b == "anonymous") return std::string();
    if (a.starts_with("user:") && b.starts_with("user:")) return std::string();
    return std::nullopt;
}

}  // namespace

bool may_be(std::string_view subject, std::string_view other) {
    if (subject == "anonymous") return false;
    const bool both_users = subject.starts_with("user:") && other.starts_with("user:");
    return !both_users || subject == other;
}

bool Term::inside(const Term& other) const {
    return subject_inside(subject, other.subject) && addresses.inside(other.addresses) &&
           std::ranges::all_of(other.except, [&](const std::string& name) {
               return except.contains(name) || !may_be(subject, name);
           });
}

Who::Who(Term term) {
    add(std::move(term));
}

void Who::add(Term term) {
    if (term.addresses.empty()) return;
    const auto covered = [&](const Term& known) { return term.inside(known); };
    if (std::ranges::any_of(terms_, covered)) return;
    std::erase_if(terms_, [&](const Term& known) { return known.inside(term); });
    terms_.insert(std::ranges::upper_bound(terms_, term), std::move(term));
}

Who Who::subject(std::string subject) {
    return Who(Term{std::move(subject), AddressSet::all(), {}});
}

Who Who::from(AddressSet addresses) {
    return Who(Term{"everyone", std::move(addresses), {}});
}

Who Who::not_subject(const std::string& subject) {
    if (subject == "everyone") return nobody();
    if (subject == "anonymous") return Who::subject("authenticated");
    if (subject == "authenticated") return Who::subject("anonymous");
    return Who(Term{"everyone", AddressSet::all(), {subject}});
}

Who Who::operator|(const Who& other) const {
    auto who = *this;
    for (const auto& term : other.terms_)
        who.add(term);
    return who;
}

Who Who::both(const Who& other, bool& narrowed) const {
    Who who;
    for (const auto& a : terms_) {
        for (const auto& b : other.terms_) {
            Term term;
            const auto subject = both_subjects(a.subject, b.subject);
            if (subject && subject->empty()) continue;
            term.addresses = a.addresses.common(b.addresses);
            if (term.addresses.empty()) continue;
            if (!subject || who.terms_.size() == kTermsMax) {
                narrowed = true;
                continue;
            }
            term.subject = *subject;
            for (const auto* names : {&a.except, &b.except}) {
                for (const auto& name : *names) {
                    if (may_be(term.subject, name)) term.except.insert(name);
                }
            }
            if (!term.except.contains(term.subject)) who.add(std::move(term));
        }
    }
    return who;
}

bool Who::inside(const Who& other) const {
    return std::ranges::all_of(terms_, [&](const Term& term) {
        return std::ranges::any_of(other.terms_,
                                   [&](const Term& known) { return term.inside(known); });
    });
}

}  // namespace berth::migrate
