// ServiceManager: tells systemd how the server is doing (sd_notify(3)), where systemd asks for it.
//
// Each message is one datagram to $NOTIFY_SOCKET; without that nothing is sent. A message that
// cannot be sent is lost: systemd then judges by its own time limits. The sockets that systemd
// hands over are net::inherited_sockets()'s.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "app/config_load.h"

namespace berth::app {

class ServiceManager {
  public:
    explicit ServiceManager(const Environment& environment);

    void ready(std::string_view status);  // serves, also: serves again after reloading()
    void reloading();
    void stopping();
    void alive();

    // How often alive() must be said, or the server counts as hung; none: nobody asks.
    std::optional<std::chrono::milliseconds> watchdog() const { return watchdog_; }

  private:
    void send(const std::string& message);

    std::string address_;
    std::optional<std::chrono::milliseconds> watchdog_;
};

}  // namespace berth::app
