// Notifies the service manager (systemd's sd_notify(3)): one datagram for each change of state. The socket is opened at the start, so that
// it still works when the process may no longer open sockets. Without $NOTIFY_SOCKET nothing is sent. Any thread.
#pragma once

#include <net/sockets/unique_fd.hpp>

#include <chrono>
#include <string>
#include <string_view>

namespace exeat::ops {

class notifier {
public:
    // Removes $NOTIFY_SOCKET from the environment. Throws std::runtime_error when it is set and cannot be connected to.
    notifier();

    void ready(std::string_view status) const;
    void reloading() const; // until the next ready()
    void stopping(std::chrono::milliseconds at_most) const;
    void status(std::string_view) const;
    void alive() const; // WATCHDOG=1
    // The longest allowed interval between two calls of alive(); 0: none is expected.
    std::chrono::microseconds watchdog() const noexcept { return watchdog_; }

private:
    void say(std::string_view assignments) const noexcept;
    net::unique_fd socket_;
    std::chrono::microseconds watchdog_{0};
};

} // namespace exeat::ops
