// The deadlines of all tunnels of a worker in one array, checked by one sweep: renewing a deadline is a store, not a timer. A slot also
// contains what the sweep reports of every live tunnel. One worker's thread. A tick is limits::sweep_interval; ticks count from the start
// of the worker.
#pragma once

#include <exeat/limits.hpp>
#include <exeat/rule.hpp>
#include <net/loop/reactor.hpp>

#include <array>
#include <chrono>
#include <cstdint>
#include <vector>

namespace exeat::net {

using tick = std::uint64_t;
inline constexpr tick no_deadline = ~tick{0};

constexpr tick ticks(std::chrono::milliseconds d) noexcept
{
    const auto whole = std::chrono::milliseconds{limits::sweep_interval};
    return static_cast<tick>((d + whole - std::chrono::milliseconds{1}) / whole) + 1; // never early
}

class account;

class deadlines {
public:
    using slot = std::uint32_t;
    struct entry {
        tick due = no_deadline;          // wakes the waiter once, then is reset to no_deadline
        tick report_due = no_deadline;   // also wakes it: time for a progress line
        waiter* who = nullptr;           // null: free
        bool passed = false;             // due was reached
        bool report = false;             // report_due was reached
        std::uint8_t purpose = purposes; // of a tunnel that relays; otherwise `purposes`
        std::int64_t started = 0;        // steady nanoseconds
        const account* bill = nullptr;   // of a tunnel that relays
    };

    slot add(waiter&);
    void remove(slot) noexcept;
    entry& at(slot s) noexcept { return entries_[s]; }
    const entry& at(slot s) const noexcept { return entries_[s]; }
    std::size_t size() const noexcept { return entries_.size(); } // number of slots, including free ones
    tick now() const noexcept { return now_; }

    // Advances the time and wakes the waiters that are due.
    void sweep(tick now) noexcept;
    // The start of the oldest relaying tunnel by purpose; 0: there is none.
    std::array<std::int64_t, purposes> oldest() const noexcept;

private:
    std::vector<entry> entries_;
    std::vector<slot> free_;
    tick now_ = 0;
};

} // namespace exeat::net
