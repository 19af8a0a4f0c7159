// Limits a client's uploads to a rate for a while, over all workers together: a token bucket in the form of a virtual schedule (GCRA), so
// that taking from it touches one word and no lock. Between any two moments, at most the burst and what the rate allows are sent. Also the
// list of throttled clients. Time is passed in as nanoseconds that never go back; the caller chooses their origin.
#pragma once

#include <exeat/budget/heirs.hpp>
#include <exeat/budget/upload_rate.hpp>
#include <exeat/ip_address.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <vector>

namespace exeat {

class throttle {
public:
    using moment = std::chrono::nanoseconds;

    throttle(const upload_rate&, moment now, moment until) noexcept;

    // Any thread. How much may be sent: at most `want`, and at most a fair share while others wait; all of it once the throttle has ended.
    std::uint64_t take(std::uint64_t want, moment now) noexcept;
    void give_back(std::uint64_t unsent) noexcept;
    void waits() noexcept { waiting_.fetch_add(1, std::memory_order_relaxed); } // after take() gave less than wanted, until tries_again()
    void tries_again() noexcept { waiting_.fetch_sub(1, std::memory_order_relaxed); }
    bool ended(moment now) const noexcept { return now.count() >= until_.load(std::memory_order_relaxed); }
    void hold_until(moment t) noexcept { until_.store(t.count(), std::memory_order_relaxed); }
    moment until() const noexcept { return moment{until_.load(std::memory_order_relaxed)}; }
    const upload_rate& rate() const noexcept { return rate_; }
    std::uint64_t burst() const noexcept { return burst_; }

private:
    std::uint64_t brought(moment now) const noexcept; // how much the rate has allowed since began_

    const upload_rate rate_;
    const std::uint64_t burst_;
    const moment began_;
    std::atomic<moment::rep> until_;
    std::atomic<std::uint32_t> waiting_{0};
    std::atomic<std::uint64_t> taken_{0}; // on the scale of brought(); what was not taken in time is lost
};

struct throttled_client {
    ip_address client;
    std::uint64_t entry = 0; // rule::id; 0: every entry
    std::shared_ptr<throttle> to;
};
using throttled_clients = std::vector<throttled_client>;

// Throttles the client at the entry to the rate, or to the slower rate that applies already, for limits::throttle_time from now. True when
// the list has another throttle for it; otherwise the existing one is extended. Drops throttles that have ended, and beyond
// limits::throttles the one that ends first. Throws std::bad_alloc.
bool hold(throttled_clients&, const ip_address& client, std::uint64_t entry, const upload_rate&, throttle::moment now);

// A client that is throttled at an entry is throttled at its heirs too, by the same throttle or by a slower one that is there. True when
// that changed the list. Throws std::bad_alloc.
bool pass_on(throttled_clients&, const heirs_of<std::uint64_t>& entries);

} // namespace exeat
