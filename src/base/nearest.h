// The word somebody probably meant: for messages that name an unknown key, action or subject.
#pragma once

#include <span>
#include <string_view>

namespace berth {

// The candidate with the fewest typing mistakes (a letter added, left out, replaced, or two
// neighbours swapped; letter case counts nothing), the first of several equals. Empty if none is
// near enough to be meant: more than two mistakes, or more than a third of the word.
std::string_view nearest(std::string_view word, std::span<const std::string_view> candidates);

}  // namespace berth
