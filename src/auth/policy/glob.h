// Glob: a pattern for repository names, tags and the claims of tokens, as policies write them.
//
// `*` stands for any characters within a path component, `**` for any characters across them;
// `**/` at the start of a component also stands for none (`**/app` matches `app`), while `prod/**`
// does not match `prod` itself. `{user}` in a repository pattern stands for the caller's name; a
// name that could not be a path component matches nothing. Matching does not allocate and takes at
// most the product of both lengths.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace berth::auth {

class Glob {
  public:
    // Errc::invalid for a pattern that can match no repository or no tag, and says why.
    static Result<Glob> parse_repository(std::string_view pattern);
    static Result<Glob> parse_tag(std::string_view pattern);
    // Any characters; {user} is nothing special.
    static Result<Glob> parse_text(std::string_view pattern);

    bool matches(std::string_view text, std::string_view user = {}) const;

    // What every text that it matches starts and ends with; views into it.
    std::string_view prefix() const;
    std::string_view suffix() const;
    // It matches prefix() and nothing else.
    bool literal() const;
    // It certainly matches whatever `other` matches; false says nothing.
    bool covers(const Glob& other) const;

  private:
    enum class Of { repository, tag, text };
    enum class Kind {
        literal,     // its text
        any,         // *
        deep,        // **
        components,  // **/ at the start of a component
        user,        // {user}
    };
    struct Token {
        Kind kind;
        std::string text;

        friend bool operator==(const Token&, const Token&) = default;
    };

    static Result<Glob> parse(std::string_view pattern, Of of);

    std::vector<Token> tokens_;
};

}  // namespace berth::auth
