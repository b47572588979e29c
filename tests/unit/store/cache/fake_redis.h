// FakeRedis: as much of a Redis server as the cache uses, and all the ways in which one fails.
#pragma once

#include <atomic>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "support/local_server.h"
#include "support/temporary_directory.h"

namespace berth::store {

// Listens on a unix socket, so that it can be stopped and started at the same address.
class FakeRedis {
  public:
    using Words = std::vector<std::string>;

    // What it does with a command.
    enum class Mood {
        answers,
        is_silent,   // reads and never says anything
        cuts,        // closes the connection
        refuses,     // -OOM to each SET
        talks_junk,  // answers by what is no Redis
        sends_array  // whose head asks for much memory
    };

    FakeRedis() { start(); }

    void start() {
        server_.reset(new LocalServer(
            LocalServer::unix_path(directory_.file("redis"), [this](int fd) { serve(fd); })));
    }
    // As the end of its process: connections are cut. What it keeps stays, as from a snapshot.
    void stop() { server_.reset(); }

    std::string address() const { return "unix:" + directory_.file("redis"); }
    void set_mood(Mood mood) { mood_ = mood; }
    // AUTH is needed from now on, with these words.
    void require(Words login) {
        std::lock_guard lock(mutex_);
        login_ = std::move(login);
    }

    std::map<std::string, std::string> data() const {
        std::lock_guard lock(mutex_);
        return data_;
    }
    void write(const std::string& key, const std::string& value) {
        std::lock_guard lock(mutex_);
        data_[key] = value;
    }
    // All that came since the last call.
    std::vector<Words> take_commands() {
        std::lock_guard lock(mutex_);
        return std::exchange(commands_, {});
    }
    int connections() const { return connections_; }  // so far

  private:
    void serve(int fd);
    // Nullopt: the connection is to be closed.
    std::optional<std::string> answer(const Words& command, bool& logged_in);

    TemporaryDirectory directory_;
    std::atomic<Mood> mood_ = Mood::answers;
    std::atomic<int> connections_ = 0;
    mutable std::mutex mutex_;
    Words login_;
    std::map<std::string, std::string> data_;
    std::vector<Words> commands_;
    std::unique_ptr<LocalServer> server_;  // last: its threads use the others
};

}  // namespace berth::store
