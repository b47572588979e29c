#include "registry/adoption.h"

#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/pool.h"
#include "registry/link_content.h"
#include "store/links/paths.h"

namespace berth::registry {
namespace {

using oci::RepositoryName;

constexpr auto kProgressInterval = std::chrono::seconds(3);
constexpr std::size_t kNamesAtOnce = 1000;
// A thread waits for the disk most of the time: for its files, and for the commit that it shares
// with the others.
constexpr std::size_t kThreadsPerCore = 8;

}  // namespace

struct Adoption::State {
    State(io::Directory& d, store::BlobStore& b, store::Index& i, AdoptionOptions o)
        : directory(d), blobs(b), index(i), options(std::move(o)) {}

    // Of what neither the tree nor the index has.
    enum class Absent { stays_unknown, becomes_known };

    Result<void> take_over(const RepositoryName& name, Absent absent);
    Result<void> take_over_claimed(const RepositoryName& name, Absent absent);

    void run();
    Result<void> list();
    Result<void> list_rest_of_index();
    void work();
    std::optional<RepositoryName> next();
    void finish();
    void report_progress();
    void report_error(Error error);

    io::Directory& directory;
    store::BlobStore& blobs;
    store::Index& index;
    const AdoptionOptions options;
    std::atomic<bool> done = false;

    std::mutex callbacks;  // one at a time; never taken while `mutex` is held
    mutable std::mutex mutex;
    std::condition_variable changed;
    std::set<RepositoryName> under_way;
    std::vector<RepositoryName> names;  // sorted; then those that only the index has
    std::size_t next_name = 0;
    std::size_t workers = 0;  // that run
    AdoptionProgress progress;
    std::optional<Error> first_error;
    bool stopping = false;
    bool ended = false;
    std::thread thread;
};

// The caller's, until it is through: others that want the same repository wait.
Result<void> Adoption::State::take_over(const RepositoryName& name, Absent absent) {
    BERTH_TRY(const bool known, index.adopted(name));
    if (known) return {};
    {
        std::unique_lock lock(mutex);
        changed.wait(lock, [&] { return !under_way.contains(name); });
        under_way.insert(name);
    }
    struct Release {
        State& state;
        const RepositoryName& name;
        ~Release() {
            const std::lock_guard lock(state.mutex);
            state.under_way.erase(name);
            state.changed.notify_all();
        }
    } const release{*this, name};
    return take_over_claimed(name, absent);
}

Result<void> Adoption::State::take_over_claimed(const RepositoryName& name, Absent absent) {
    BERTH_TRY(const bool known, index.adopted(name));
    if (known) return {};
    std::vector<store::Finding> findings;
    BERTH_TRY(const auto content, read_linked_content(directory, blobs, name, findings));
    if (content.blobs.empty() && content.manifests.empty() && absent == Absent::stays_unknown) {
        BERTH_TRY(const bool indexed, index.has_repository(name));
        if (!indexed) return {};
    }
    BERTH_CHECK(index.adopt(name, content));
    {
        const std::lock_guard lock(mutex);
        progress.manifests += content.manifests.size();
        progress.tags += content.tags.size();
        progress.blobs += content.blobs.size();
        progress.findings += findings.size();
    }
    if (findings.empty() || !options.on_finding) return {};
    const std::lock_guard lock(callbacks);
    std::ranges::for_each(findings, options.on_finding);
    return {};
}

void Adoption::State::run() {
    pthread_setname_np(pthread_self(), "adoption");
    if (auto listed = list(); !listed) {
        report_error(std::move(listed.error()).with_context("the repositories cannot be listed"));
    } else {
        report_progress();
        const std::size_t wanted =
            options.threads > 0 ? options.threads : kThreadsPerCore * cores();
        workers = std::min(wanted, std::max<std::size_t>(names.size(), 1));
        std::vector<std::thread> threads;
        for (std::size_t i = workers; i > 0; --i)
            threads.emplace_back([this] { work(); });
        std::unique_lock lock(mutex);
        while (!changed.wait_for(lock, kProgressInterval, [this] { return workers == 0; })) {
            lock.unlock();
            report_progress();
            lock.lock();
        }
        lock.unlock();
        for (auto& thread_of_ours : threads)
            thread_of_ours.join();
        finish();
    }
    const std::lock_guard lock(mutex);
    ended = true;
    changed.notify_all();
}

Result<void> Adoption::State::list() {
    std::vector<store::Finding> findings;
    BERTH_CHECK(store::list_repositories(
        directory, [this](RepositoryName name) { names.push_back(std::move(name)); }, findings));
    std::ranges::sort(names);
    BERTH_CHECK(list_rest_of_index());
    {
        const std::lock_guard lock(mutex);
        progress.repositories_total = names.size();
        progress.findings += findings.size();
    }
    const std::lock_guard lock(callbacks);
    if (options.on_finding) std::ranges::for_each(findings, options.on_finding);
    return {};
}

// What it has and the tree has not: from before an export, or pushed meanwhile.
Result<void> Adoption::State::list_rest_of_index() {
    const std::size_t in_tree = names.size();
    std::string last;
    for (bool more = true; more;) {
        BERTH_TRY(const auto page, index.repositories(last, kNamesAtOnce));
        for (const auto& text : page.names) {
            BERTH_TRY(auto name, RepositoryName::parse(text));
            const auto end = names.begin() + static_cast<std::ptrdiff_t>(in_tree);
            if (!std::binary_search(names.begin(), end, name)) names.push_back(std::move(name));
        }
        if (!page.names.empty()) last = page.names.back();
        more = page.more;
    }
    return {};
}

// What a worker throws (memory has run out) ends its work on one repository, not the server.
void Adoption::State::work() {
    pthread_setname_np(pthread_self(), "adoption");
    while (const auto name = next()) {
        Result<void> taken;
        try {
            taken = take_over(*name, Absent::stays_unknown);
        } catch (const std::exception& thrown) {
            taken = fail(Errc::io, thrown.what());
        }
        if (!taken) {
            report_error(std::move(taken.error()).with_context(name->text()));
            continue;
        }
        const std::lock_guard lock(mutex);
        ++progress.repositories;
    }
    const std::lock_guard lock(mutex);
    --workers;
    changed.notify_all();
}

std::optional<RepositoryName> Adoption::State::next() {
    const std::lock_guard lock(mutex);
    if (stopping || next_name == names.size()) return std::nullopt;
    return names[next_name++];
}

void Adoption::State::finish() {
    {
        const std::lock_guard lock(mutex);
        if (stopping || first_error) return;
    }
    if (auto set = index.set_adopted_all(); !set) return report_error(std::move(set.error()));
    {
        const std::lock_guard lock(mutex);
        progress.done = true;
        names = {};
        next_name = 0;
    }
    done.store(true, std::memory_order_release);
    report_progress();
}

void Adoption::State::report_progress() {
    std::unique_lock lock(mutex);
    const AdoptionProgress now = progress;
    lock.unlock();
    const std::lock_guard calling(callbacks);
    if (options.on_progress) options.on_progress(now);
}

void Adoption::State::report_error(Error error) {
    {
        const std::lock_guard lock(mutex);
        if (!first_error) first_error = error;
    }
    const std::lock_guard calling(callbacks);
    if (options.on_error) options.on_error(error);
}

Adoption::Adoption(std::unique_ptr<State> state) : state_(std::move(state)) {}

Adoption::~Adoption() {
    {
        const std::lock_guard lock(state_->mutex);
        state_->stopping = true;
    }
    if (state_->thread.joinable()) state_->thread.join();
}

Result<std::unique_ptr<Adoption>> Adoption::open(io::Directory& directory, store::BlobStore& blobs,
                                                 store::Index& index, AdoptionOptions options) {
    auto state = std::make_unique<State>(directory, blobs, index, std::move(options));
    BERTH_TRY(bool done, index.adopted_all());
    if (!done) {
        const auto tree = directory.list(store::kRepositoriesFolder);
        if (!tree && tree.error().code != Errc::not_found) return std::unexpected(tree.error());
        BERTH_TRY(const auto indexed, index.repositories("", 1));
        if (!tree && indexed.names.empty()) {
            BERTH_CHECK(index.set_adopted_all());
            done = true;
        }
    }
    state->done = done;
    state->progress.done = done;
    state->ended = done;
    return std::unique_ptr<Adoption>(new Adoption(std::move(state)));
}

void Adoption::start() {
    if (!done()) state_->thread = std::thread([state = state_.get()] { state->run(); });
}

Result<void> Adoption::wait() {
    std::unique_lock lock(state_->mutex);
    state_->changed.wait(lock, [this] { return state_->ended; });
    if (state_->first_error) return std::unexpected(*state_->first_error);
    return {};
}

Result<void> Adoption::ensure(const RepositoryName& repository) {
    if (done()) return {};
    return state_->take_over(repository, State::Absent::stays_unknown);
}

Result<void> Adoption::ensure_for_push(const RepositoryName& repository) {
    if (done()) return {};
    return state_->take_over(repository, State::Absent::becomes_known);
}

bool Adoption::done() const {
    return state_->done.load(std::memory_order_acquire);
}

AdoptionProgress Adoption::progress() const {
    const std::lock_guard lock(state_->mutex);
    return state_->progress;
}

}  // namespace berth::registry
