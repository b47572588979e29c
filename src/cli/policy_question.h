// A question to the policy, as people write it on the command line or in a table of expectations.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "auth/policy/policy.h"
#include "base/result.h"

namespace berth::cli {

struct PolicyQuestion {
    auth::Identity who;  // anonymous unless it has a name
    std::vector<auth::Action> actions;
    std::string repository, tag;
    std::string address;
    Time at;

    // What is asked for one of the actions; views into this.
    auth::AccessRequest request(auth::Action action) const {
        return {action, repository, tag, address, at};
    }
};

// A policy's word; `push` is both of its halves. Errc::invalid names the nearest.
Result<std::vector<auth::Action>> actions_of(const std::string& word);
// A day, which stands for its first moment in UTC, or RFC 3339.
Result<Time> parse_moment(const std::string& text);
Result<std::string> parse_address(const std::string& text);
// `claim=value`.
Result<std::pair<std::string, std::string>> parse_claim(const std::string& text);
// Makes `who` a workload of that provider; without a name it gets one.
void make_workload(auth::Identity& who, const std::string& provider);

// `alice`, `robot ci`, `anonymous callers`: to stand in a sentence.
std::string name_for_people(const auth::Identity& who);
std::string target_for_people(const std::string& repository, const std::string& tag);

}  // namespace berth::cli
