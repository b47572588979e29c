// Who may: a condition on the caller, as a sum of products. What cannot be said in Berth's rules
// becomes narrower here, never wider.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "migrate/address_set.h"

namespace berth::migrate {

// A subject of Berth's rules (everyone, anonymous, authenticated, user:NAME, group:NAME) that comes
// from some addresses, and is none of `except` (user:NAME, group:NAME).
struct Term {
    std::string subject = "everyone";
    AddressSet addresses = AddressSet::all();
    std::set<std::string> except;

    // Whoever fits this term fits `other`.
    bool inside(const Term& other) const;
    friend auto operator<=>(const Term&, const Term&) = default;
};

// Any of the terms; none: nobody. Without terms that another one covers, and sorted.
class Who {
  public:
    static Who nobody() { return {}; }
    static Who everyone() { return Who(Term{}); }
    static Who subject(std::string subject);
    static Who from(AddressSet addresses);
    // Everyone else.
    static Who not_subject(const std::string& subject);

    // Either.
    Who operator|(const Who& other) const;
    // Both; `narrowed` is set if something could not be said and was left out.
    Who both(const Who& other, bool& narrowed) const;

    bool inside(const Who& other) const;
    const std::vector<Term>& terms() const { return terms_; }
    friend bool operator==(const Who&, const Who&) = default;

  private:
    Who() = default;
    explicit Who(Term term);
    void add(Term term);

    std::vector<Term> terms_;
};

// Could whoever is `subject` also be `other` (user:NAME, group:NAME)?
bool may_be(std::string_view subject, std::string_view other);

}  // namespace berth::migrate
