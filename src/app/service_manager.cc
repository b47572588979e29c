#include "app/service_manager.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <charconv>
#include <cstring>
#include <ctime>

#include "base/unique_fd.h"

namespace berth::app {

namespace {

std::string text_of(const Environment& environment, const char* name) {
    const auto found = environment.find(name);
    return found == environment.end() ? std::string() : found->second;
}

std::optional<std::int64_t> number_of(const Environment& environment, const char* name) {
    const auto text = text_of(environment, name);
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return number;
}

// Asked of another process, the parent of this one, when the id is not ours.
std::optional<std::chrono::milliseconds> watchdog_of(const Environment& environment) {
    const auto period = number_of(environment, "WATCHDOG_USEC");
    const auto process = number_of(environment, "WATCHDOG_PID");
    if (!period || *period <= 0 || (process && *process != ::getpid())) return std::nullopt;
    return std::chrono::duration_cast<std::chrono::milliseconds>(
        std::chrono::microseconds(*period));
}

// systemd takes a reload that began before this for another one.
std::int64_t monotonic_microseconds() {
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    return std::int64_t{now.tv_sec} * 1'000'000 + now.tv_nsec / 1'000;
}

}  // namespace

ServiceManager::ServiceManager(const Environment& environment)
    : address_(text_of(environment, "NOTIFY_SOCKET")), watchdog_(watchdog_of(environment)) {
    const bool usable = address_.size() > 1 && address_.size() < sizeof(sockaddr_un::sun_path) &&
                        (address_.front() == '/' || address_.front() == '@');
    if (!usable) address_.clear();
}

void ServiceManager::ready(std::string_view status) {
    send("READY=1\nSTATUS=" + std::string(status));
}

void ServiceManager::reloading() {
    send("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(monotonic_microseconds()));
}

void ServiceManager::stopping() {
    send("STOPPING=1\nSTATUS=requests under way may end");
}

void ServiceManager::alive() {
    send("WATCHDOG=1");
}

void ServiceManager::send(const std::string& message) {
    if (address_.empty()) return;
    const UniqueFd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    if (!socket) return;
    sockaddr_un to{};
    to.sun_family = AF_UNIX;
    std::memcpy(to.sun_path, address_.data(), address_.size());
    // An `@` stands for the zero byte of an abstract name, which has no other at its end.
    if (to.sun_path[0] == '@') to.sun_path[0] = '\0';
    const auto size = offsetof(sockaddr_un, sun_path) + address_.size();
    ::sendto(socket.get(), message.data(), message.size(), MSG_NOSIGNAL | MSG_DONTWAIT,
             reinterpret_cast<const sockaddr*>(&to),  // NOLINT(*-reinterpret-cast)
             static_cast<socklen_t>(size));
}

}  // namespace berth::app
