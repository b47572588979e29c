#include "net/tls_source.h"

#include <pthread.h>

#include <chrono>
#include <utility>

#include "base/encoding.h"

namespace berth::net {

namespace {

// A change is taken up by the second look after it at the latest.
constexpr std::chrono::milliseconds kLookInterval{300};

}  // namespace

TlsSource::TlsSource(TlsOptions options, const Clock& clock, Report report)
    : options_(std::move(options)), report_(std::move(report)) {
    std::vector<std::string> paths = options_.client_cas;
    for (const auto& path : {options_.certificate, options_.chain, options_.key})
        if (!path.empty()) paths.push_back(path);
    for (auto& path : paths)
        files_.push_back(std::make_unique<FileWatch>(std::move(path), clock));
}

Result<std::shared_ptr<TlsSource>> TlsSource::open(TlsOptions options, const Clock& clock,
                                                   Report report) {
    std::shared_ptr<TlsSource> source(new TlsSource(std::move(options), clock, std::move(report)));
    // Before the files are read: what is written meanwhile is seen by the next look.
    source->seen_ = source->tried_ = source->version();
    BERTH_TRY(source->context_, TlsContext::open(source->options_));
    return source;
}

TlsSource::~TlsSource() {
    {
        std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    stop_.notify_all();
    if (thread_.joinable()) thread_.join();
}

std::shared_ptr<const TlsContext> TlsSource::current() const {
    std::lock_guard lock(mutex_);
    return context_;
}

std::uint64_t TlsSource::version() {
    std::uint64_t sum = 0;
    for (const auto& file : files_)
        sum += file->look();
    return sum;
}

void TlsSource::refresh() {
    std::lock_guard lock(looking_);
    seen_ = version();
    // Whoever asks for it hears again what is wrong.
    reported_.clear();
    if (seen_ != tried_ || failed_) take_up(seen_);
}

void TlsSource::look() {
    std::lock_guard lock(looking_);
    const auto now = version();
    const bool settled = now == seen_;
    seen_ = now;
    if (settled && (seen_ != tried_ || failed_)) take_up(seen_);
}

void TlsSource::take_up(std::uint64_t version) {
    tried_ = version;
    auto opened = TlsContext::open(options_);
    failed_ = !opened;
    if (!opened) {
        if (opened.error().detail == reported_) return;
        reported_ = opened.error().detail;
        return report_(LogLevel::error, reported_ + "; what was read before stays in force");
    }
    reported_.clear();
    const auto sentence = "TLS certificate " + options_.certificate +
                          " was read anew; it expires " + format_rfc3339((*opened)->expires());
    {
        std::lock_guard lock(mutex_);
        context_ = std::move(*opened);
    }
    report_(LogLevel::info, sentence);
}

void TlsSource::watch() {
    thread_ = std::thread([this] { run(); });
}

void TlsSource::run() {
    pthread_setname_np(pthread_self(), "tls-files");
    std::unique_lock lock(mutex_);
    while (!stop_.wait_for(lock, kLookInterval, [this] { return stopping_; })) {
        lock.unlock();
        look();
        lock.lock();
    }
}

}  // namespace berth::net
