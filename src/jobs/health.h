// The job that checks what the server depends on (configuration: health), as distribution does it.
// A check that has failed `threshold` times in a row makes the server unready: every answer is 503
// until it succeeds once.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/log.h"
#include "base/result.h"
#include "io/directory.h"
#include "jobs/health_board.h"

namespace berth::jobs {

// Unhealthy while the file exists: how an administrator takes a server out of service.
struct FileCheck {
    std::string file;
    std::chrono::milliseconds interval{10'000};
};

// A HEAD request must be answered with this status.
struct HttpCheck {
    std::string uri;
    std::vector<std::pair<std::string, std::string>> headers = {};
    int status_code = 200;
    std::chrono::milliseconds timeout{1'000};
    std::chrono::milliseconds interval{10'000};
    std::uint32_t threshold = 1;
};

// A connection must be accepted.
struct TcpCheck {
    std::string address;  // host:port
    std::chrono::milliseconds timeout{1'000};
    std::chrono::milliseconds interval{10'000};
    std::uint32_t threshold = 1;
};

struct HealthOptions {
    // The root of the storage must be readable. Nothing is written: a disk that is full, or that an
    // error has made read-only, still serves pulls.
    bool storage = false;
    std::chrono::milliseconds storage_interval{10'000};
    std::uint32_t storage_threshold = 3;
    std::string storage_driver = "filesystem";  // distribution's name for it, in the check's name
    std::vector<FileCheck> files;
    std::vector<HttpCheck> https;
    std::vector<TcpCheck> tcps;

    bool any() const { return storage || !files.empty() || !https.empty() || !tcps.empty(); }
};

// One check. `run` blocks for as long as it must.
struct HealthCheck {
    std::string name;
    std::chrono::milliseconds interval;
    std::uint32_t threshold;
    std::function<Result<void>()> run;
};

// Named as distribution names them (storagedriver_…, the file, the URI, the address); a URI's user
// and query, which may be secret, are left out. `directory` outlives the checks.
std::vector<HealthCheck> make_health_checks(io::Directory& directory, const HealthOptions& options);

// Runs each check at once and then after each interval, in a thread of its own, so that one that
// hangs does not hold up the others; until destroyed, when a check under way is ended first.
class Health {
  public:
    // `log` outlives it.
    Health(std::vector<HealthCheck> checks, Logger& log);
    ~Health();
    Health(const Health&) = delete;
    Health& operator=(const Health&) = delete;

    bool ready() const noexcept { return board_.ready(); }  // for loops: one load
    // Failing checks by name, with why.
    std::map<std::string, std::string> failures() const { return board_.failures(); }

  private:
    void serve(std::size_t number);

    const std::vector<HealthCheck> checks_;
    HealthBoard board_;
    std::mutex mutex_;
    std::condition_variable wake_;
    bool stopping_ = false;
    std::vector<std::thread> threads_;  // last: they use the others
};

}  // namespace berth::jobs
