// The counters of one worker. One writer (the worker's thread), any reader: every cell is a relaxed atomic that the writer stores without a
// locked instruction. Counters only rise and are never reset. Bytes are payload bytes on the upstream side: `upload` was written to an
// upstream socket, `download` was read from one. A worker owns its counters for the life of the process.
#pragma once

#include <exeat/config.hpp>
#include <exeat/ending.hpp>
#include <exeat/enum_array.hpp>
#include <exeat/limits.hpp>
#include <exeat/rule.hpp>
#include <exeat/verdict.hpp>
#include <net/loop/untouched_pages.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <type_traits>

namespace exeat::net {

class counter {
public:
    void add(std::uint64_t n = 1) noexcept { cell_.store(cell_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed); }
    void take(std::uint64_t n = 1) noexcept { cell_.store(cell_.load(std::memory_order_relaxed) - n, std::memory_order_relaxed); } // gauges
    void set(std::uint64_t n) noexcept { cell_.store(n, std::memory_order_relaxed); }
    std::uint64_t read() const noexcept { return cell_.load(std::memory_order_relaxed); }

private:
    std::atomic<std::uint64_t> cell_{0};
};

struct flow { // in bytes
    counter upload, download;
};

// Upper bounds of histogram buckets; one more bucket is +Inf. Seconds are kept as nanoseconds.
inline constexpr std::array<std::uint64_t, 8> decision_ns{250, 500, 1'000, 2'500, 5'000, 10'000, 100'000, 1'000'000};
inline constexpr std::array<std::uint64_t, 12> setup_ns{100'000,    250'000,    500'000,     1'000'000,   2'500'000,     5'000'000,
                                                        10'000'000, 25'000'000, 100'000'000, 500'000'000, 2'500'000'000, 10'000'000'000};
inline constexpr std::array<std::uint64_t, 8> duration_ns{100'000'000,     1'000'000'000,     10'000'000'000,     60'000'000'000,
                                                          600'000'000'000, 3'600'000'000'000, 14'400'000'000'000, 86'400'000'000'000};
inline constexpr std::array<std::uint64_t, 9> upload_bytes{1'024,       16'384,        65'536,         1'048'576,      16'777'216,
                                                           134'217'728, 1'073'741'824, 10'737'418'240, 107'374'182'400};

template <const auto& Bounds> class histogram {
public:
    static constexpr const auto& bounds = Bounds;
    void observe(std::uint64_t value) noexcept
    {
        const auto at = std::lower_bound(Bounds.begin(), Bounds.end(), value) - Bounds.begin();
        buckets[static_cast<std::size_t>(at)].add();
        sum.add(value);
    }
    std::array<counter, Bounds.size() + 1> buckets; // not cumulative
    counter sum;
};

enum class request_mode : std::uint8_t { connect, http, transparent_tls, transparent_http, sni };
inline constexpr std::size_t request_modes = 5;
// The mode that a connection is counted under before any byte of it is read.
constexpr request_mode first_mode(listen_mode m) noexcept
{
    if (m == listen_mode::proxy) return request_mode::connect;
    return m == listen_mode::sni ? request_mode::sni : request_mode::transparent_tls;
}
inline constexpr enum_array<request_mode, std::string_view, request_modes> request_mode_words{"connect", "http", "transparent_tls",
                                                                                              "transparent_http", "sni"};

// partial: addresses of one family; the question for the other one failed or was not answered in time. no_data: the name exists, but has no
// address. too_many: more than limits::dns_addresses.
enum class dns_result : std::uint8_t { answered, partial, cached, no_such_name, no_data, failed, timed_out, overloaded, refused, too_many };
inline constexpr std::size_t dns_results = 10;
inline constexpr enum_array<dns_result, std::string_view, dns_results> dns_result_words{
    "answered", "partial", "cached", "no_such_name", "no_data", "failed", "timed_out", "overloaded", "refused", "too_many"};

enum class upstream_error : std::uint8_t { refused, unreachable, timed_out, reset, no_resources, other };
inline constexpr std::size_t upstream_errors = 6;
inline constexpr enum_array<upstream_error, std::string_view, upstream_errors> upstream_error_words{"refused", "unreachable",  "timed_out",
                                                                                                    "reset",   "no_resources", "other"};

struct counters {
    std::array<counter, limits::listeners> connections, connections_active;         // by listener, in the order of the configuration
    enum_array<request_mode, std::array<counter, 2>, request_modes> requests;       // [mode][allowed ? 1 : 0]
    enum_array<verdict, std::array<counter, limits::group_slots>, verdicts> denied; // [verdict][group slot]
    enum_array<verdict, counter, verdicts> reported;                                // refusals that report mode let pass
    std::array<flow, limits::rule_slots> rules;                                     // [rule slot]
    struct per_purpose {
        counter active;                  // open now
        counter oldest_start;            // steady nanoseconds of the oldest live tunnel; 0: none
        histogram<duration_ns> duration; // observed when they end
        histogram<upload_bytes> upload;  // observed when they end
    };
    enum_array<purpose, per_purpose, purposes> tunnels;
    enum_array<purpose, std::array<counter, budget_actions + 1>, purposes> over_budget; // tunnels, by the action; the last: report mode
    enum_array<ending, counter, endings> closed;
    enum_array<dns_result, counter, dns_results> dns_queries;
    histogram<setup_ns> dns_duration; // of questions sent to a server
    counter dns_cache_entries;
    histogram<setup_ns> connect_duration;
    enum_array<upstream_error, counter, upstream_errors> upstream_failed;
    histogram<decision_ns> decision;
    histogram<setup_ns> setup; // from accept to relaying
    counter orig_dst_mismatch; // transparent: the upstream's address differs from the one that the client dialled
    counter other_host;        // CONNECT requests whose Host differs from their target
    counter silent;            // connections, and tunnels for plain HTTP, that ended before their client sent anything
    counter sent_again;        // plain-HTTP requests repeated on a new connection, because the kept one had ended
    counter accept_pauses;     // out of descriptors or memory
    counter out_of_memory;     // tunnels and look-ups abandoned for lack of memory
    counter audit_dropped;     // records that did not fit in the ring
    counter audit_held;        // tunnels and exchanges whose upload waits for the log now
    counter audit_summed;      // denials and exchanges that share a line with others
    enum_array<client_rate, counter, client_rate_words.size()> over_rate; // refusals, by the limit that was exceeded
};

// A worker's counters, with a cell for every rule and group that may ever exist; memory is used only where something was counted. A new
// object contains only zeros, like pages that were never touched, so the pages that the constructor wrote can be discarded.
class sparse_counters {
public:
    sparse_counters() : all_{::new (pages_.data()) counters{}} { pages_.forget(0, sizeof(counters)); } // throws std::bad_alloc
    counters& operator*() const noexcept { return *all_; }

private:
    static_assert(std::is_trivially_destructible_v<counters>);
    untouched_pages pages_{sizeof(counters)};
    counters* const all_;
};

} // namespace exeat::net
