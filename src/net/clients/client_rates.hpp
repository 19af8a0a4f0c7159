// Limits how often each client may do what costs others something, over all workers: token buckets with a burst of limits::client_burst. A
// client is counted in two cells of a keyed table, and its count is the smaller one: other clients can only make it look busier when they
// share both cells with it, which nobody can arrange without the key. No lock, nothing to clean up: a cell contains the moment at which its
// bucket is full again (the generic cell rate algorithm, ITU-T I.371), so time alone refills it. Any thread.
#pragma once

#include <exeat/config.hpp>
#include <exeat/enum_array.hpp>
#include <exeat/ip_address.hpp>
#include <exeat/limits.hpp>
#include <net/loop/untouched_pages.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>

namespace exeat::net {

class client_rates {
public:
    using moment = std::chrono::steady_clock::time_point;

    explicit client_rates(const client_rate_limits& a_second, std::size_t lines_a_second = limits::audit_lines); // throws std::bad_alloc

    // Takes one token. False: the client has none left, and nothing was taken.
    bool take(client_rate, const ip_address& client, moment now) noexcept;
    // Whether a token is left.
    bool has(client_rate, const ip_address& client, moment now) const noexcept;
    // Takes `n` tokens, even when fewer are left: the client then waits until the debt is refilled.
    void spend(client_rate, const ip_address& client, moment now, std::uint64_t n = 1) noexcept;

    // Log lines that could be summed, of all clients together.
    bool has_line(moment now) const noexcept;
    void spend_lines(moment now, std::uint64_t n) noexcept;

private:
    using nanoseconds = std::uint64_t; // of the steady clock
    using cell = std::atomic<nanoseconds>;
    using table = enum_array<client_rate, std::array<cell, limits::source_slots>, client_rate_words.size()>;
    std::array<cell*, 2> cells_of(client_rate, const ip_address&) const noexcept;

    enum_array<client_rate, nanoseconds, client_rate_words.size()> each_; // cost of one token
    const nanoseconds each_line_;
    untouched_pages pages_{sizeof(table)};
    table* const cells_;
    cell lines_{0};
};

} // namespace exeat::net
