// How often each client may do what costs others something, over all workers: token buckets that hold what limits::client_burst brings.
// A client is counted in two cells of a keyed table, and its count is the smaller one: others can only make it look busier when they meet
// it in both cells, which nobody can aim for without the key. No lock, nothing to clean up: a cell holds the moment at which its bucket is
// full again (the generic cell rate algorithm, ITU-T I.371), and time alone empties it. Any thread.
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

    // Takes one. False: the client has none left, and nothing was taken.
    bool take(client_rate, const ip_address& client, moment now) noexcept;
    // Whether it has one left.
    bool has(client_rate, const ip_address& client, moment now) const noexcept;
    // Takes `n`, whether it has them or not: what is owed is waited for.
    void spend(client_rate, const ip_address& client, moment now, std::uint64_t n = 1) noexcept;

    // Log lines that could be summed, of all clients together.
    bool has_line(moment now) const noexcept;
    void spend_lines(moment now, std::uint64_t n) noexcept;

private:
    using nanoseconds = std::uint64_t; // of the steady clock
    using cell = std::atomic<nanoseconds>;
    using table = enum_array<client_rate, std::array<cell, limits::source_slots>, client_rate_words.size()>;
    std::array<cell*, 2> cells_of(client_rate, const ip_address&) const noexcept;

    enum_array<client_rate, nanoseconds, client_rate_words.size()> each_; // that one takes
    const nanoseconds each_line_;
    untouched_pages pages_{sizeof(table)};
    table* const cells_;
    cell lines_{0};
};

} // namespace exeat::net
