#include "transfer/challenge.h"

#include <algorithm>

#include "base/text.h"
#include "http/text.h"

namespace berth::transfer {
namespace {

class Parser {
  public:
    explicit Parser(std::string_view text) : rest_(text) {}

    std::vector<Challenge> run() {
        for (skip(" \t,"); !rest_.empty(); skip(" \t,")) {
            const auto word = token();
            if (word.empty()) break;
            skip(" \t");
            if (!rest_.starts_with('=')) {
                challenges_.push_back({lower_case(word), {}});
                continue;
            }
            rest_.remove_prefix(1);
            skip(" \t");
            auto value = rest_.starts_with('"') ? quoted() : std::string(token());
            if (challenges_.empty()) break;
            challenges_.back().parameters.emplace(lower_case(word), std::move(value));
        }
        return std::move(challenges_);
    }

  private:
    void skip(std::string_view characters) {
        const auto end = rest_.find_first_not_of(characters);
        rest_.remove_prefix(std::min(end, rest_.size()));
    }

    std::string_view token() {
        const auto end = std::ranges::find_if_not(rest_, http::is_token);
        const auto word = rest_.substr(0, static_cast<std::size_t>(end - rest_.begin()));
        rest_.remove_prefix(word.size());
        return word;
    }

    std::string quoted() {
        std::string value;
        rest_.remove_prefix(1);
        while (!rest_.empty() && !rest_.starts_with('"')) {
            if (rest_.starts_with('\\')) rest_.remove_prefix(1);
            if (rest_.empty()) break;
            value += rest_.front();
            rest_.remove_prefix(1);
        }
        if (!rest_.empty()) rest_.remove_prefix(1);
        return value;
    }

    std::string_view rest_;
    std::vector<Challenge> challenges_;
};

}  // namespace

std::vector<Challenge> parse_challenges(std::string_view field) {
    return Parser(field).run();
}

}  // namespace berth::transfer
