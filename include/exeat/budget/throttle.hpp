// A rate that what a client uploads is held to for a while, by all workers together: a token bucket in the form of a virtual schedule
// (GCRA), so that to take from it touches one word and no lock. Between any two moments there leaves at most the burst and what the rate
// brings. And the list of the clients that are held so. Time is handed in: nanoseconds that never go back; where they begin is the
// caller's.
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

    // Any thread. How much may leave, at most `want` and a fair share beside those that wait; all of it once the throttle has ended.
    std::uint64_t take(std::uint64_t want, moment now) noexcept;
    void give_back(std::uint64_t unsent) noexcept;
    void waits() noexcept { waiting_.fetch_add(1, std::memory_order_relaxed); } // one that got less than it wanted ...
    void tries_again() noexcept { waiting_.fetch_sub(1, std::memory_order_relaxed); }
    bool ended(moment now) const noexcept { return now.count() >= until_.load(std::memory_order_relaxed); }
    void hold_until(moment t) noexcept { until_.store(t.count(), std::memory_order_relaxed); }
    moment until() const noexcept { return moment{until_.load(std::memory_order_relaxed)}; }
    const upload_rate& rate() const noexcept { return rate_; }
    std::uint64_t burst() const noexcept { return burst_; }

private:
    std::uint64_t brought(moment now) const noexcept; // by the rate since it began

    const upload_rate rate_;
    const std::uint64_t burst_;
    const moment began_;
    std::atomic<moment::rep> until_;
    std::atomic<std::uint32_t> waiting_{0};
    std::atomic<std::uint64_t> taken_{0}; // on the scale of what the rate brings: what was not taken in time is gone
};

struct throttled_client {
    ip_address client;
    std::uint64_t entry = 0; // rule::id; 0: every entry
    std::shared_ptr<throttle> to;
};
using throttled_clients = std::vector<throttled_client>;

// Holds the client at the entry to the rate, or to the slower one that holds it already, for limits::throttle_time from now. True when the
// list has another throttle for it; else the one that is there goes on. Those that have ended leave, and beyond limits::throttles the one
// that ends first. Throws std::bad_alloc.
bool hold(throttled_clients&, const ip_address& client, std::uint64_t entry, const upload_rate&, throttle::moment now);

// Whoever is held at an entry is held at its heirs too, by the same throttle or by the slower one that is there. True when that changed the
// list. Throws std::bad_alloc.
bool pass_on(throttled_clients&, const heirs_of<std::uint64_t>& entries);

} // namespace exeat
