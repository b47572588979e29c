// AuditLog: who did what, from where, how they proved who they are, which rule decided, and what
// the answer was: JSON lines, each bound to the one before by a hash (audit_line.h), so that a line
// that was changed, taken out or put in shows (`berth audit verify`).
//
// Thread-safe. record() only queues; a thread of its own formats and writes, within half a second,
// synchronises once a second, and rotates. When lines cannot be written (the disk is full), they
// are queued; when the queue is full, record() waits a bounded time, once; then records are lost
// and counted, and a line says how many as soon as lines can be written again: a full disk stops no
// pull.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "auth/audit/audit_line.h"
#include "base/clock.h"
#include "base/result.h"

namespace berth::auth {

struct AuditOptions {
    std::string path;                      // empty: no file
    std::uint64_t bytes_max = 100u << 20;  // then the file is renamed path.1, path.2, …
    std::size_t files_max = 10;            // kept besides the one being written
    bool syslog = false;                   // to the local syslog as well, facility authpriv
    bool pulls = true;                     // pulls that were allowed are recorded too

    std::size_t queue_bytes_max = 16 << 20;
    std::chrono::milliseconds wait_max{1000};  // of record(), when the queue is full
};

class AuditLog {
  public:
    // Goes on after the last whole line that is there: in the file, or else in the rotated one
    // before it. What a crash left of a line is cut off, and a line says so. Errc::io;
    // Errc::conflict when another process writes to the file; Errc::corrupt for a file whose end is
    // no audit log. `report` is called from the writing thread, once for each failure; it and
    // `clock` outlive the log.
    static Result<std::unique_ptr<AuditLog>> open(AuditOptions options, const Clock& clock,
                                                  std::function<void(const Error&)> report);
    // Writes what is queued, if it can be written.
    ~AuditLog();

    const AuditOptions& options() const;
    void record(AuditRecord record);
    // Everything recorded before is in the file, and on the disk, or cannot be written now.
    void flush();
    // Goes on in a new file if `path` is no longer the one being written: logrotate has renamed it
    // (SIGHUP, SIGUSR1). A file that was copied and truncated (copytruncate) has lost its head.
    void reopen();

  private:
    class State;
    explicit AuditLog(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace berth::auth
