// Feeds the service manager's watchdog, but only while the loop of every worker runs: a stuck worker is an outage for its share of the
// clients, and only a restart ends it. Lives on one io_context; its callbacks run there.
#pragma once

#include <net/loop/kept_memory.hpp>
#include <ops/process/log.hpp>
#include <ops/process/notify.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <functional>
#include <vector>

namespace exeat::ops {

class watchdog {
public:
    using rounds = std::function<std::vector<std::uint64_t>()>; // for each worker, a number that rises while its loop runs
    watchdog(boost::asio::io_context&, const notifier&, const event_log&, rounds);

    void begin(); // once the workers run; does nothing without a watchdog interval
    void stop() { timer_.cancel(); }

private:
    void wait();
    void look();

    boost::asio::steady_timer timer_;
    const notifier& manager_;
    const event_log& log_;
    const rounds rounds_;
    std::vector<std::uint64_t> seen_;
    bool stuck_ = false;
    net::shared_kept_memory memory_;
};

} // namespace exeat::ops
