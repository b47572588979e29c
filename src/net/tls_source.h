// TlsSource: the TLS context in force, opened anew when a file that it is made of changes:
// certificate, chain, key, or a client CA.
//
// New connections get the new context; those that are there keep the one they began with, and none
// is dropped. Files that cannot be read or do not belong together leave the context before in force
// and are tried again until they do.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "base/result.h"
#include "base/watched_file.h"
#include "net/tls.h"

namespace berth::net {

// Thread-safe.
class TlsSource {
  public:
    // Gets whole sentences: what was taken up (info), and once each time what could not be (error).
    using Report = std::function<void(LogLevel level, const std::string& sentence)>;

    // Opens the first context, when what is wrong is an error. `clock` outlives it. Nobody looks at
    // the files yet.
    static Result<std::shared_ptr<TlsSource>> open(TlsOptions options, const Clock& clock,
                                                   Report report);
    ~TlsSource();
    TlsSource(const TlsSource&) = delete;
    TlsSource& operator=(const TlsSource&) = delete;

    std::shared_ptr<const TlsContext> current() const;

    // Takes up now what has changed (SIGHUP).
    void refresh();
    // One look at the files. A change is taken up by the first look that finds nothing newer than
    // the look before: a certificate, its key and its chain are written one after the other.
    void look();
    // Looks three times a second from now on, on a thread of its own, as long as the source lives.
    // Once.
    void watch();

  private:
    TlsSource(TlsOptions options, const Clock& clock, Report report);
    std::uint64_t version();
    void take_up(std::uint64_t version);
    void run();

    const TlsOptions options_;
    const Report report_;
    std::vector<std::unique_ptr<FileWatch>> files_;

    std::mutex looking_;
    std::uint64_t seen_ = 0;   // by the last look
    std::uint64_t tried_ = 0;  // what the last try to open was made of
    bool failed_ = false;      // that try
    std::string reported_;

    mutable std::mutex mutex_;
    std::shared_ptr<const TlsContext> context_;
    bool stopping_ = false;
    std::condition_variable stop_;
    std::thread thread_;
};

}  // namespace berth::net
