#include "app/gauges.h"

#include <algorithm>
#include <limits>
#include <memory>
#include <mutex>
#include <optional>

#include "app/process_usage.h"

namespace berth::app {
namespace {

using metrics::Metrics;

constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

template <class Number>
double number(Number value) {
    return static_cast<double>(value);
}

// One text asks for all numbers of a kind.
constexpr std::chrono::milliseconds kOneText{20};
// Whoever reads all the time keeps the server busy for one part of so many, at most.
constexpr int kShare = 100;

// What is not asked for each number by itself, nor for each reader: asked again when it is as old
// as its cost allows.
template <class Value>
class Remembered {
  public:
    Remembered(const Clock& clock, std::function<Value()> ask)
        : clock_(clock), ask_(std::move(ask)) {}

    Value get() {
        const std::lock_guard lock(mutex_);
        if (!value_ || clock_.steady_now() >= stale_at_) {
            const SteadyTime began = clock_.steady_now();
            value_ = ask_();
            const SteadyTime ended = clock_.steady_now();
            stale_at_ = ended + std::max<SteadyTime::duration>(kOneText, kShare * (ended - began));
        }
        return *value_;
    }

  private:
    const Clock& clock_;
    const std::function<Value()> ask_;
    std::mutex mutex_;
    std::optional<Value> value_;
    SteadyTime stale_at_{};
};

// A number of a struct that is remembered.
template <class Value>
using Kept = std::shared_ptr<Remembered<Value>>;

template <class Value, class Ask>
Kept<Value> keep(const Clock& clock, Ask ask) {
    return std::make_shared<Remembered<Value>>(clock, std::move(ask));
}

template <class Value, class Member>
std::function<double()> part(const Kept<Value>& kept, Member Value::* member) {
    return [kept, member] { return number(kept->get().*member); };
}

// The same where the whole may fail: NaN.
template <class Value, class Member>
std::function<double()> part(const Kept<Result<Value>>& kept, Member Value::* member) {
    return [kept, member] {
        const Result<Value> value = kept->get();
        return value ? number((*value).*member) : kUnknown;
    };
}

void add_pool(Metrics& metrics, const std::string& name, const Pool& pool, const Clock& clock) {
    const metrics::Labels labels{{"pool", name}};
    const auto usage = keep<Pool::Usage>(clock, [&pool] { return pool.usage(); });
    metrics.gauge("berth_pool_threads", "Threads a pool may have.",
                  part(usage, &Pool::Usage::threads), labels);
    metrics.gauge("berth_pool_busy_threads", "Threads of a pool that work now.",
                  part(usage, &Pool::Usage::busy), labels);
    metrics.gauge("berth_pool_waiting_jobs", "Jobs that wait for a thread of a pool.",
                  part(usage, &Pool::Usage::waiting), labels);
    metrics.counter("berth_pool_refused_jobs_total",
                    "Jobs refused because too many waited already: each a 503.",
                    part(usage, &Pool::Usage::refused), labels);
}

void add_logins(Metrics& metrics, const auth::Authenticator& authenticator, const Clock& clock) {
    using Counts = auth::Authenticator::Counts;
    const auto counts = keep<Counts>(clock, [&authenticator] { return authenticator.counts(); });
    const auto add = [&](const char* outcome, std::uint64_t Counts::* member) {
        metrics.counter("berth_logins_total",
                        "Logins that were checked, by how that ended; remembered ones are not.",
                        part(counts, member), {{"outcome", outcome}});
    };
    add("verified", &Counts::verified);
    add("failed", &Counts::failed);
    add("throttled", &Counts::throttled);
    add("unavailable", &Counts::unavailable);
}

void add_totals(Metrics& metrics, const store::Index& index, const Clock& clock) {
    using Totals = store::Totals;
    const auto totals = keep<Result<Totals>>(clock, [&index] { return index.totals(); });
    metrics.gauge("berth_repositories", "Repositories that have something in them.",
                  part(totals, &Totals::repositories));
    metrics.gauge("berth_manifests", "Manifests, each once in each repository.",
                  part(totals, &Totals::manifests));
    metrics.gauge("berth_tags", "Tags.", part(totals, &Totals::tags));
    metrics.gauge("berth_blobs", "Blobs stored, each once; manifests are blobs too.",
                  part(totals, &Totals::blobs));
    metrics.gauge("berth_blob_bytes", "Bytes of all blobs.", part(totals, &Totals::blob_bytes));
    metrics.gauge("berth_index_waiting_writes", "Changes that wait for their transaction.",
                  [&index] { return number(index.waiting()); });
}

void add_storage(Metrics& metrics, const Stores& stores, const Clock& clock) {
    const auto space = keep<Result<io::Space>>(
        clock, [&directory = *stores.directory] { return directory.space(); });
    metrics.gauge("berth_storage_bytes", "Size of the file system with the storage.",
                  part(space, &io::Space::total_bytes));
    metrics.gauge("berth_storage_free_bytes", "Free bytes of that file system.",
                  part(space, &io::Space::free_bytes));
    const auto uploads = keep<double>(clock, [&blobs = *stores.blobs] {
        const auto count = blobs.upload_count();
        return count ? number(*count) : kUnknown;
    });
    metrics.gauge("berth_uploads", "Uploads that have begun and not ended.",
                  [uploads] { return uploads->get(); });
    using Usage = registry::Registry::CacheUsage;
    const auto usage =
        keep<Usage>(clock, [&registry = *stores.registry] { return registry.cache_usage(); });
    metrics.gauge("berth_cache_bytes", "Bytes of manifests and small blobs kept in memory.",
                  part(usage, &Usage::bytes));
    metrics.gauge("berth_cache_files", "Files of blobs kept open.", part(usage, &Usage::files));
}

void add_adoption(Metrics& metrics, const registry::Adoption& adoption, const Clock& clock) {
    using Progress = registry::AdoptionProgress;
    const auto progress = keep<Progress>(clock, [&adoption] { return adoption.progress(); });
    metrics.gauge("berth_adoption_done", "1: all that registry:2 has left is taken over.",
                  part(progress, &Progress::done));
    metrics.gauge("berth_adoption_repositories", "Repositories taken over since the start.",
                  part(progress, &Progress::repositories));
    metrics.gauge("berth_adoption_repositories_found", "Repositories to take over, as known.",
                  part(progress, &Progress::repositories_total));
    metrics.gauge("berth_adoption_findings", "Broken things found while taking over.",
                  part(progress, &Progress::findings));
}

// What distribution exports and Berth never has: zero, where a dashboard would have a gap.
void add_foreign(Metrics& metrics) {
    const auto none = [] { return 0.0; };
    metrics.counter("registry_storage_cache_errors_total", "The number of cache request errors",
                    none);
    for (const char* type : {"blob", "manifest"}) {
        const metrics::Labels labels{{"type", type}};
        metrics.counter("registry_proxy_hits_total", "The number of total proxy request hits", none,
                        labels);
        metrics.counter("registry_proxy_misses_total", "The number of total proxy request misses",
                        none, labels);
        metrics.counter("registry_proxy_pulled_bytes_total",
                        "The size of total bytes pulled from the upstream", none, labels);
        metrics.counter("registry_proxy_pushed_bytes_total",
                        "The size of total bytes pushed to the client", none, labels);
        metrics.counter("registry_proxy_requests_total",
                        "The number of total incoming proxy request received", none, labels);
    }
}

// Under the names that all clients of Prometheus use.
void add_process(Metrics& metrics, const Clock& clock) {
    const auto usage = keep<ProcessUsage>(clock, process_usage);
    metrics.counter("process_cpu_seconds_total", "Total user and system CPU time spent in seconds.",
                    part(usage, &ProcessUsage::cpu_seconds));
    metrics.gauge("process_resident_memory_bytes", "Resident memory size in bytes.",
                  part(usage, &ProcessUsage::resident_bytes));
    metrics.gauge("process_virtual_memory_bytes", "Virtual memory size in bytes.",
                  part(usage, &ProcessUsage::virtual_bytes));
    metrics.gauge("process_virtual_memory_max_bytes",
                  "Maximum amount of virtual memory available in bytes.",
                  part(usage, &ProcessUsage::virtual_bytes_max));
    metrics.gauge("process_open_fds", "Number of open file descriptors.",
                  part(usage, &ProcessUsage::open_files));
    metrics.gauge("process_max_fds", "Maximum number of open file descriptors.",
                  part(usage, &ProcessUsage::files_max));
    metrics.gauge("process_start_time_seconds",
                  "Start time of the process since unix epoch in seconds.",
                  part(usage, &ProcessUsage::started_at));
}

}  // namespace

void add_gauges(Metrics& metrics, const Gauged& server) {
    metrics.gauge("berth_build_info", "The version that runs.", [] { return 1.0; },
                  {{"version", BERTH_VERSION}});
    metrics.gauge("berth_ready", "1: no health check fails; 0: every answer is 503.",
                  [&health = server.health] { return number(health.ready()); });
    metrics.gauge("berth_connections", "Open connections.",
                  [&http = server.server] { return number(http.connections()); });
    metrics.gauge("berth_connections_max", "Connections at most; more wait to be accepted.",
                  [max = server.connections_max] { return number(max); });
    if (server.tls != nullptr) {
        metrics.gauge("berth_tls_certificate_expiry_timestamp_seconds",
                      "When the server's certificate ends, since unix epoch in seconds.",
                      [&tls = *server.tls] {
                          return number(tls.current()->expires().time_since_epoch().count()) / 1e3;
                      });
    }
    add_pool(metrics, "disk", server.disk, server.clock);
    add_pool(metrics, "logins", server.logins, server.clock);
    add_logins(metrics, server.authenticator, server.clock);
    add_totals(metrics, *server.stores.index, server.clock);
    add_storage(metrics, server.stores, server.clock);
    add_adoption(metrics, *server.stores.adoption, server.clock);
    add_foreign(metrics);
    add_process(metrics, server.clock);
}

}  // namespace berth::app
