#include <net/clients/client_rates.hpp>

#include <net/clients/client_table.hpp>

#include <algorithm>
#include <type_traits>

namespace exeat::net {

namespace {

using nanoseconds = std::uint64_t;
using cell = std::atomic<nanoseconds>;

constexpr nanoseconds second = 1'000'000'000;
constexpr nanoseconds burst = std::chrono::nanoseconds{limits::client_burst}.count();

nanoseconds since_start(client_rates::moment now) noexcept { return static_cast<nanoseconds>(now.time_since_epoch().count()); }

nanoseconds cost(std::size_t a_second) noexcept { return second / std::max<std::size_t>(a_second, 1); }

// Adds `what` to the cell. Returns its new value, the moment at which the bucket is full again.
nanoseconds pour(cell& c, nanoseconds now, nanoseconds what) noexcept
{
    for (auto seen = c.load(std::memory_order_relaxed);;)
        if (const auto after = std::max(seen, now) + what; c.compare_exchange_weak(seen, after, std::memory_order_relaxed)) return after;
}

// Adds to both cells. False: the smaller one, which is the client's count, would exceed `most`, and the addition is undone. When several
// workers meet at the limit, each of them may take one token more or find one less, but not more: every token taken is in both cells.
bool add(cell& a, cell& b, nanoseconds now, nanoseconds what, nanoseconds most) noexcept
{
    const bool both = &a != &b;
    const auto in_a = pour(a, now, what), in_b = both ? pour(b, now, what) : in_a;
    if (std::min(in_a, in_b) - now <= most) return true;
    a.fetch_sub(what, std::memory_order_relaxed);
    if (both) b.fetch_sub(what, std::memory_order_relaxed);
    return false;
}

} // namespace

client_rates::client_rates(const client_rate_limits& a_second, std::size_t lines_a_second)
    : each_line_{cost(lines_a_second)}, cells_{::new (pages_.data()) table{}}
{
    static_assert(std::is_trivially_destructible_v<table>);
    pages_.forget(0, sizeof(table)); // contains only zeros: memory only for cells in use
    for (std::size_t i = 0; i < each_.size(); ++i) each_[i] = cost(a_second[i]);
}

std::array<client_rates::cell*, 2> client_rates::cells_of(client_rate what, const ip_address& client) const noexcept
{
    const auto h = client_key_hash{}({client, 0});
    auto& row = (*cells_)[what];
    return {&row[h % row.size()], &row[(h >> 32) % row.size()]};
}

bool client_rates::take(client_rate what, const ip_address& client, moment now) noexcept
{
    const auto [a, b] = cells_of(what, client);
    return add(*a, *b, since_start(now), each_[what], burst);
}

bool client_rates::has(client_rate what, const ip_address& client, moment now) const noexcept
{
    const auto [a, b] = cells_of(what, client);
    const auto seen = std::min(a->load(std::memory_order_relaxed), b->load(std::memory_order_relaxed));
    const auto at = since_start(now);
    return std::max(seen, at) + each_[what] - at <= burst;
}

void client_rates::spend(client_rate what, const ip_address& client, moment now, std::uint64_t n) noexcept
{
    const auto [a, b] = cells_of(what, client);
    add(*a, *b, since_start(now), n * each_[what], ~nanoseconds{0});
}

bool client_rates::has_line(moment now) const noexcept
{
    const auto at = since_start(now);
    return std::max(lines_.load(std::memory_order_relaxed), at) + each_line_ - at <= second;
}

void client_rates::spend_lines(moment now, std::uint64_t n) noexcept
{
    const auto at = since_start(now);
    for (auto seen = lines_.load(std::memory_order_relaxed);;)
        if (lines_.compare_exchange_weak(seen, std::max(seen, at) + n * each_line_, std::memory_order_relaxed)) return;
}

} // namespace exeat::net
