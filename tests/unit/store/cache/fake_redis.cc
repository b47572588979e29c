#include "unit/store/cache/fake_redis.h"

#include <sys/socket.h>

namespace berth::store {

namespace {

// Reads what a client sends, one byte at a time: commands are short.
class Reader {
  public:
    explicit Reader(int fd) : fd_(fd) {}

    // Empty at the end.
    FakeRedis::Words command() {
        FakeRedis::Words words;
        const auto head = line();
        if (head.empty() || head.front() != '*') return words;
        for (int left = std::stoi(head.substr(1)); left > 0; --left) {
            const auto size = line();
            if (size.empty() || size.front() != '$') return {};
            words.push_back(bytes(std::stoul(size.substr(1))));
            bytes(2);
        }
        return words;
    }

  private:
    std::string bytes(std::size_t count) {
        std::string text(count, '\0');
        const auto got = ::recv(fd_, text.data(), count, MSG_WAITALL);
        text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
        return text;
    }
    std::string line() {
        std::string text;
        while (!text.ends_with("\r\n")) {
            const auto next = bytes(1);
            if (next.empty()) return {};
            text += next;
        }
        return text.substr(0, text.size() - 2);
    }

    int fd_;
};

std::string bulk(const std::string& text) {
    return "$" + std::to_string(text.size()) + "\r\n" + text + "\r\n";
}

}  // namespace

void FakeRedis::serve(int fd) {
    ++connections_;
    Reader reader(fd);
    bool logged_in = false;
    for (;;) {
        const auto command = reader.command();
        if (command.empty()) return;
        const auto said = answer(command, logged_in);
        if (!said) return;
        if (!said->empty()) ::send(fd, said->data(), said->size(), MSG_NOSIGNAL);
    }
}

std::optional<std::string> FakeRedis::answer(const Words& command, bool& logged_in) {
    std::lock_guard lock(mutex_);
    commands_.push_back(command);
    const Mood mood = mood_;
    if (mood == Mood::is_silent) return "";
    if (mood == Mood::cuts) return std::nullopt;
    if (mood == Mood::talks_junk) return "HTTP/1.1 400 Bad Request\r\n\r\n";
    if (mood == Mood::sends_array) return "*1000000000\r\n";
    const auto& name = command.front();
    if (name == "AUTH") {
        logged_in = Words(command.begin() + 1, command.end()) == login_;
        if (logged_in) return "+OK\r\n";
        // What a server says that knows no AUTH: the words come back.
        std::string echo = "-WRONGPASS not";
        for (const auto& word : command)
            echo += " '" + word + "'";
        return echo + "\r\n";
    }
    if (!login_.empty() && !logged_in) return "-NOAUTH Authentication required.\r\n";
    if (name == "SELECT") return command.at(1) == "16" ? "-ERR out of range\r\n" : "+OK\r\n";
    if (name == "SET") {
        if (mood == Mood::refuses) return "-OOM command not allowed\r\n";
        data_[command.at(1)] = command.at(2);
        return "+OK\r\n";
    }
    const auto found = data_.find(command.at(1));
    return found == data_.end() ? "$-1\r\n" : bulk(found->second);
}

}  // namespace berth::store
