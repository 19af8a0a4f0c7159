// What happened within the last hour, in steps of limits::history_interval: upload by client and entry, download by entry, refusals by
// reason. Lives on one io_context's thread; the metrics outlive it.
#pragma once

#include <net/loop/kept_memory.hpp>
#include <ops/metrics/metrics.hpp>
#include <ops/metrics/recent_tracks.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

namespace exeat::ops {

class history {
public:
    explicit history(const metrics& numbers) : numbers_{&numbers} {}

    // Records what happened up to now; may be called at any time. Throws std::bad_alloc.
    void look();
    void next(); // ends a step; called every limits::history_interval
    std::chrono::steady_clock::duration last_step() const { return std::chrono::steady_clock::now() - began_; } // of the current step

    const recent_tracks& clients() const noexcept { return clients_; }
    const recent_tracks& entries() const noexcept { return entries_; }
    const recent_tracks& denied() const noexcept { return denied_; }
    const recent_tracks& download() const noexcept { return download_; } // by entry, like entries()

private:
    const metrics* numbers_;
    recent_tracks clients_, entries_, denied_, download_;
    std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
};

// Samples for as long as it exists.
class history_timer {
public:
    history_timer(boost::asio::io_context&, history&);

private:
    void again();

    history& of_;
    boost::asio::steady_timer timer_;
    net::shared_kept_memory memory_;
};

} // namespace exeat::ops
