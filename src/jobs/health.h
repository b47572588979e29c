// The job that checks what the server depends on (configuration: health). A check that has failed
// `threshold` times in a row makes the server unready: every answer is 503 until it succeeds again.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "io/directory.h"

namespace berth::jobs {

// Unhealthy while the file exists.
struct FileCheck {
    std::string file;
    std::chrono::milliseconds interval{10'000};
};

struct HttpCheck {
    std::string uri;
    std::vector<std::pair<std::string, std::string>> headers;
    int status_code = 200;
    std::chrono::milliseconds timeout{1'000};
    std::chrono::milliseconds interval{10'000};
    std::uint32_t threshold = 1;
};

struct TcpCheck {
    std::string address;  // host:port
    std::chrono::milliseconds timeout{1'000};
    std::chrono::milliseconds interval{10'000};
    std::uint32_t threshold = 1;
};

struct HealthOptions {
    bool storage = false;
    std::chrono::milliseconds storage_interval{10'000};
    std::uint32_t storage_threshold = 3;
    std::vector<FileCheck> files;
    std::vector<HttpCheck> https;
    std::vector<TcpCheck> tcps;

    bool any() const { return storage || !files.empty() || !https.empty() || !tcps.empty(); }
};

class Health {
  public:
    // What it is given outlives it.
    Health(io::Directory& directory, const Clock& clock, Logger& log, HealthOptions options);
    ~Health();
    Health(const Health&) = delete;
    Health& operator=(const Health&) = delete;

    bool ready() const noexcept;  // for loops: one load
    // Failing checks by name, with why.
    std::map<std::string, std::string> failures() const;

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace berth::jobs
