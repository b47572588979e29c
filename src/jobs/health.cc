#include "jobs/health.h"

#include <pthread.h>
#include <sys/stat.h>

#include <cerrno>
#include <exception>
#include <string_view>

#include "http/client.h"
#include "net/dial.h"

namespace berth::jobs {
namespace {

Result<void> check_storage(const io::Directory& directory) {
    const auto entries = directory.list("");
    if (!entries) return std::unexpected(entries.error());
    return {};
}

Result<void> check_file(const std::string& path) {
    struct stat status{};
    if (::stat(path.c_str(), &status) == 0) return fail(Errc::unavailable, "file exists");
    if (errno == ENOENT) return {};
    return fail_errno("look for " + path, errno);
}

Result<void> check_http(const HttpCheck& check) {
    http::ClientRequest request;
    request.method = "HEAD";
    request.url = check.uri;
    request.fields = check.headers;
    request.connect_timeout = check.timeout;
    request.timeout = check.timeout;
    BERTH_TRY(const auto answer, http::send(request));
    if (answer.status == check.status_code) return {};
    return fail(Errc::unavailable,
                "downstream service returned unexpected status: " + std::to_string(answer.status));
}

Result<void> check_tcp(const TcpCheck& check) {
    net::DialOptions options;
    options.address = check.address;
    options.connect_timeout = check.timeout;
    const auto connection = net::dial(options);
    if (!connection) return std::unexpected(connection.error());
    return {};
}

std::string without_secrets(std::string_view uri) {
    uri = uri.substr(0, uri.find_first_of("?#"));
    const std::size_t scheme = uri.find("://");
    if (scheme == std::string_view::npos) return std::string(uri);
    const std::size_t host = scheme + 3;
    const std::size_t at = uri.substr(0, uri.find('/', host)).rfind('@');
    if (at == std::string_view::npos || at < host) return std::string(uri);
    return std::string(uri.substr(0, host)).append(uri.substr(at + 1));
}

// What a check throws is a failure of it.
Result<void> run(const HealthCheck& check) {
    try {
        return check.run();
    } catch (const std::exception& thrown) {
        return fail(Errc::io, thrown.what());
    }
}

}  // namespace

std::vector<HealthCheck> make_health_checks(io::Directory& directory,
                                            const HealthOptions& options) {
    std::vector<HealthCheck> checks;
    if (options.storage) {
        checks.push_back({"storagedriver_" + options.storage_driver, options.storage_interval,
                          options.storage_threshold,
                          [&directory] { return check_storage(directory); }});
    }
    for (const FileCheck& check : options.files) {
        checks.push_back(
            {check.file, check.interval, 1, [file = check.file] { return check_file(file); }});
    }
    for (const HttpCheck& check : options.https) {
        checks.push_back({without_secrets(check.uri), check.interval, check.threshold,
                          [check] { return check_http(check); }});
    }
    for (const TcpCheck& check : options.tcps) {
        checks.push_back(
            {check.address, check.interval, check.threshold, [check] { return check_tcp(check); }});
    }
    return checks;
}

Health::Health(std::vector<HealthCheck> checks, Logger& log)
    : checks_(std::move(checks)), board_(log) {
    for (const HealthCheck& check : checks_)
        board_.add(check.name, check.threshold);
    for (std::size_t i = 0; i < checks_.size(); ++i)
        threads_.emplace_back([this, i] { serve(i); });
}

Health::~Health() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    wake_.notify_all();
    for (auto& thread : threads_)
        thread.join();
}

void Health::serve(std::size_t number) {
    pthread_setname_np(pthread_self(), "health");
    const HealthCheck& check = checks_[number];
    std::unique_lock lock(mutex_);
    while (!stopping_) {
        lock.unlock();
        board_.report(number, run(check));
        lock.lock();
        wake_.wait_for(lock, check.interval, [this] { return stopping_; });
    }
}

}  // namespace berth::jobs
