// GroupFile: who is in which group, in Apache's AuthGroupFile form: `group: user user …`, several
// lines of one group add up; re-read when it changes. Thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace berth::auth {

// User → groups. Errc::invalid names the line.
using Memberships = std::map<std::string, std::vector<std::string>, std::less<>>;
Result<Memberships> parse_group_file(std::string_view text);

class GroupFile {
  public:
    // /dev/null is a file without groups.
    static Result<std::unique_ptr<GroupFile>> open(std::string path, const Clock& clock,
                                                   std::function<void(const Error&)> report);
    ~GroupFile();

    // As PasswordFile::version().
    std::uint64_t version();
    // May read the file: called from a pool.
    std::vector<std::string> groups_of(std::string_view user);

  private:
    struct State;
    explicit GroupFile(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace berth::auth
