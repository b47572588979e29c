// LastUsed: which access token was used when, to the best of our knowledge: kept in memory, and now
// and then in a JSON file beside the tokens, which several servers may share. Thread-safe.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <string>

#include "base/clock.h"
#include "base/result.h"

namespace berth::auth {

class LastUsed {
  public:
    using Times = std::map<std::string, Time, std::less<>>;  // by the tokens' ids

    explicit LastUsed(std::string path) : path_(std::move(path)) {}

    void note(const std::string& id, Time at);
    // What the file says, and what was noted since. A file that is broken says nothing: nothing
    // depends on it.
    Result<Times> all() const;
    // Writes what was noted since the last time, if anything was; forgets tokens that are not there
    // any more.
    Result<void> save(const std::function<bool(const std::string& id)>& is_there);

  private:
    const std::string path_;
    mutable std::mutex mutex_;
    Times noted_;  // and not written yet
};

}  // namespace berth::auth
