// Graceful shutdown after SIGTERM: open connections continue until they end or drain_timeout is over, and the number left is reported to
// the service manager and the log. Lives on one io_context's thread.
#pragma once

#include <exeat/config.hpp>
#include <net/loop/kept_memory.hpp>
#include <ops/process/log.hpp>
#include <ops/process/notify.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstddef>
#include <functional>

namespace exeat::ops {

class drain {
public:
    // `left` returns the number of open connections. `over` is called once, when none is left or the time is over. The references must
    // outlive this object.
    drain(boost::asio::io_context&, const notifier&, const event_log&, std::function<std::size_t()> left, std::function<void()> over);

    void begin(std::chrono::milliseconds timeout);
    void stop() { timer_.cancel(); }

private:
    void watch();
    void tell(std::size_t left);

    const notifier& manager_;
    const event_log& log_;
    const std::function<std::size_t()> left_;
    const std::function<void()> over_;
    net::shared_kept_memory memory_; // reserved memory: restarting the wait cannot fail
    boost::asio::steady_timer timer_;
    std::chrono::steady_clock::time_point until_, log_at_;
    std::size_t told_ = 0;
};

} // namespace exeat::ops
