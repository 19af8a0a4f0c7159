// The metric families of one scrape, by subject. Reading only; on the thread that scrapes.
#pragma once

#include <ops/metrics/metrics.hpp>

#include <map>
#include <memory>

#include <cstdint>
#include <deque>
#include <prometheus/metric_family.h>
#include <string>
#include <utility>
#include <vector>

namespace exeat::ops {

using families = std::deque<prometheus::MetricFamily>; // a deque, so that a reference to a family stays valid while others are added
using metric_labels = std::vector<prometheus::ClientMetric::Label>;

// Names are passed without the prefix "exeat_", which these functions add.
prometheus::MetricFamily& new_counter(families&, const char* name, const char* help);
prometheus::MetricFamily& new_gauge(families&, const char* name, const char* help);
prometheus::MetricFamily& new_histogram(families&, const char* name, const char* help);
void add(prometheus::MetricFamily&, double value, metric_labels = {});
inline void add(prometheus::MetricFamily& f, std::uint64_t value, metric_labels labels = {})
{
    add(f, static_cast<double>(value), std::move(labels));
}

// A client's label: its group and its address or network.
std::string client_label(const std::vector<std::string>& groups, const net::client_key&, const network_settings&);

// The label for a client::key or pod::identity alone: that of the client with a series, otherwise with the group that the policy in force
// gives it. Of pods that have or had one address it is the same; a former workload whose address nobody remembers has its key.
class client_names {
public:
    client_names(const metric_sources&, const client_series::series_map&);
    std::string of(const ip_address&) const;

private:
    const network_settings& network_;
    const workload_names& workloads_;
    const std::vector<std::string> groups_;
    const std::shared_ptr<const exeat::policy> rules_;
    std::map<ip_address, net::client_key> known_;
};

// The sum of one counter over all workers.
template <class Cell> std::uint64_t sum(const metric_sources& from, Cell&& cell)
{
    std::uint64_t total = 0;
    for (const auto* worker : from.workers) total += cell(*worker).read();
    return total;
}

// One histogram summed over all workers; `unit` is the number of counted units in one published unit.
template <class Histogram>
void add_histogram(prometheus::MetricFamily& f, const metric_sources& from, Histogram&& of, double unit, metric_labels labels = {})
{
    prometheus::ClientMetric m;
    m.label = std::move(labels);
    const auto& bounds = of(*from.workers.front()).bounds;
    for (std::size_t i = 0; i <= bounds.size(); ++i) {
        m.histogram.sample_count += sum(from, [&](const net::counters& c) -> const net::counter& { return of(c).buckets[i]; });
        if (i < bounds.size()) m.histogram.bucket.push_back({m.histogram.sample_count, static_cast<double>(bounds[i]) / unit});
    }
    m.histogram.sample_sum =
        static_cast<double>(sum(from, [&](const net::counters& c) -> const net::counter& { return of(c).sum; })) / unit;
    f.metric.push_back(std::move(m));
}

void collect_posture(families&, const metric_sources&);
void collect_policy(families&, const metric_sources&);
void collect_audit(families&, const metric_sources&);
void collect_anomalies(families&, const metric_sources&);
void collect_requests(families&, const metric_sources&);
void collect_bytes(families&, const metric_sources&);
void collect_clients(families&, const metric_sources&, const client_series&);
void collect_findings(families&, const metric_sources&, const client_series&);
void collect_budgets(families&, const metric_sources&, const client_series&);
void collect_tunnels(families&, const metric_sources&);
void collect_upstream(families&, const metric_sources&);
void collect_pods(families&, const metric_sources&);
void collect_process(families&);

} // namespace exeat::ops
