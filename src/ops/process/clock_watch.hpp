// Checks the machine's clock every second and logs when it jumps and when it is correct again. Lives on one io_context; the numbers may be
// read on any thread.
#pragma once

#include <net/loop/kept_memory.hpp>
#include <ops/process/log.hpp>

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <functional>

namespace exeat::ops {

// `now`: by how many seconds the clock is wrong at present (positive: ahead), 0 when it is right. `all`: how often it has become wrong.
struct clock_steps {
    std::atomic<std::int64_t> now{0};
    std::atomic<std::uint64_t> all{0};
};

class clock_watch {
public:
    clock_watch(boost::asio::io_context&, const event_log&, std::function<void()> set_right);
    const clock_steps& steps() const noexcept { return steps_; }

private:
    void look();
    void report(std::int64_t before, std::int64_t now) const;

    boost::asio::steady_timer timer_;
    net::shared_kept_memory memory_;
    const event_log& log_;
    const std::function<void()> set_right_;
    clock_steps steps_;
};

} // namespace exeat::ops
