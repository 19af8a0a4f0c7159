#include <ops/metrics/metric_families.hpp>

#include <algorithm>

namespace exeat::ops {

namespace {

using net::counter;
using net::counters;

constexpr double nanoseconds = 1e9; // per second

std::string word(std::string_view w) { return std::string{w}; }

double oldest_age(const metric_sources& from, std::size_t p)
{
    const auto now = static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch() / std::chrono::nanoseconds{1});
    auto oldest = now;
    for (const auto* worker : from.workers)
        if (const auto start = worker->tunnels[p].oldest_start.read(); start != 0) oldest = std::min(oldest, start);
    return static_cast<double>(now - oldest) / nanoseconds;
}

} // namespace

void collect_tunnels(families& all, const metric_sources& from)
{
    auto& active = new_gauge(all, "tunnels_active", "Tunnels open now.");
    auto& oldest = new_gauge(all, "tunnel_oldest_age_seconds", "Age of the oldest tunnel open now; 0: none.");
    auto& duration = new_histogram(all, "tunnel_duration_seconds", "How long tunnels lived, counted when they end.");
    auto& uploaded = new_histogram(all, "tunnel_upload_bytes", "How much tunnels uploaded, counted when they end.");
    for (std::size_t p = 0; p < purposes; ++p) {
        const metric_labels label{{"purpose", word(to_string(static_cast<purpose>(p)))}};
        add(active, sum(from, [p](const counters& c) -> const counter& { return c.tunnels[p].active; }), label);
        add(oldest, oldest_age(from, p), label);
        add_histogram(
            duration, from, [p](const counters& c) -> const auto& { return c.tunnels[p].duration; }, nanoseconds, label);
        add_histogram(
            uploaded, from, [p](const counters& c) -> const auto& { return c.tunnels[p].upload; }, 1, label);
    }
    auto& closed = new_counter(all, "tunnels_closed_total", "Tunnels that ended, by why.");
    for (std::size_t e = 0; e < endings; ++e)
        add(closed, sum(from, [e](const counters& c) -> const counter& { return c.closed[e]; }),
            {{"cause", word(to_string(static_cast<ending>(e)))}});
}

void collect_upstream(families& all, const metric_sources& from)
{
    auto& queries = new_counter(all, "resolver_queries_total", "Names looked up, by how it went.");
    for (std::size_t r = 0; r < net::dns_results; ++r)
        add(queries, sum(from, [r](const counters& c) -> const counter& { return c.dns_queries[r]; }),
            {{"result", word(net::dns_result_words[r])}});
    add_histogram(
        new_histogram(all, "resolver_query_duration_seconds", "How long DNS servers took to answer."), from,
        [](const counters& c) -> const auto& { return c.dns_duration; }, nanoseconds);
    add(new_gauge(all, "resolver_servers",
                  "DNS servers that exeat.toml or /etc/resolv.conf names; 0: neither names any, and the last known ones are asked."),
        static_cast<double>(from.dns_servers));
    add(new_gauge(all, "resolver_cache_entries", "Answers held now."),
        sum(from, [](const counters& c) -> const counter& { return c.dns_cache_entries; }));
    add_histogram(
        new_histogram(all, "upstream_connect_duration_seconds", "How long destinations took to accept."), from,
        [](const counters& c) -> const auto& { return c.connect_duration; }, nanoseconds);
    auto& failed = new_counter(all, "upstream_errors_total", "Destinations that could not be connected to.");
    for (std::size_t e = 0; e < net::upstream_errors; ++e)
        add(failed, sum(from, [e](const counters& c) -> const counter& { return c.upstream_failed[e]; }),
            {{"error", word(net::upstream_error_words[e])}});
    add_histogram(
        new_histogram(all, "decision_duration_seconds", "What deciding costs."), from,
        [](const counters& c) -> const auto& { return c.decision; }, nanoseconds);
    add_histogram(
        new_histogram(all, "setup_duration_seconds", "From accepting a connection to relaying it."), from,
        [](const counters& c) -> const auto& { return c.setup; }, nanoseconds);
}

} // namespace exeat::ops
