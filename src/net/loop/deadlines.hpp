// The deadlines of all tunnels of a worker in one array, looked at by one sweep: renewing one is a store, not a timer. A slot also keeps
// what the sweep must tell of every live tunnel. One worker's thread. Ticks are sweeps since the worker began (limits::sweep_interval).
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
        tick due = no_deadline;          // wakes the waiter once, then stands at no_deadline
        tick report_due = no_deadline;   // wakes it too: time for a progress line
        waiter* who = nullptr;           // null: free
        bool passed = false;             // due was reached
        bool report = false;             // report_due was reached
        std::uint8_t purpose = purposes; // of a tunnel that relays; `purposes` while it does not
        std::int64_t started = 0;        // steady nanoseconds
        const account* bill = nullptr;   // of a tunnel that relays
    };

    slot add(waiter&);
    void remove(slot) noexcept;
    entry& at(slot s) noexcept { return entries_[s]; }
    const entry& at(slot s) const noexcept { return entries_[s]; }
    std::size_t size() const noexcept { return entries_.size(); } // slots, free ones too
    tick now() const noexcept { return now_; }

    // One tick on; wakes whose time has come.
    void sweep(tick now) noexcept;
    // The start of the oldest relaying tunnel by purpose; 0 where there is none.
    std::array<std::int64_t, purposes> oldest() const noexcept;

private:
    std::vector<entry> entries_;
    std::vector<slot> free_;
    tick now_ = 0;
};

} // namespace exeat::net
