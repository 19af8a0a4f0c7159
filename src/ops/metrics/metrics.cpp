#include <ops/metrics/metrics.hpp>

#include <ops/identity/pod_watch.hpp>
#include <ops/metrics/budget_use.hpp>
#include <ops/metrics/metric_families.hpp>
#include <ops/text/json_text.hpp>

#include <iterator>
#include <prometheus/text_serializer.h>
#include <utility>

namespace exeat::ops {

namespace {

prometheus::MetricFamily& append(families& all, std::string name, const char* help, prometheus::MetricType type)
{
    return all.emplace_back(prometheus::MetricFamily{"exeat_" + std::move(name), help, type, {}});
}

} // namespace

prometheus::MetricFamily& new_counter(families& all, const char* name, const char* help)
{
    return append(all, name, help, prometheus::MetricType::Counter);
}

prometheus::MetricFamily& new_gauge(families& all, const char* name, const char* help)
{
    return append(all, name, help, prometheus::MetricType::Gauge);
}

prometheus::MetricFamily& new_histogram(families& all, const char* name, const char* help)
{
    return append(all, name, help, prometheus::MetricType::Histogram);
}

// A label value that is not valid UTF-8 would make Prometheus drop the whole scrape.
void add(prometheus::MetricFamily& f, double value, metric_labels labels)
{
    for (auto& label : labels) label.value = valid_utf8(label.value);
    auto& m = f.metric.emplace_back();
    m.label = std::move(labels);
    if (f.type == prometheus::MetricType::Counter) m.counter.value = value;
    else m.gauge.value = value;
}

metrics::metrics(metric_sources from) : from_{std::move(from)}, clients_{from_.clients} {}

std::vector<prometheus::MetricFamily> metrics::Collect() const
{
    families all;
    auto& build = new_gauge(all, "build_info", "What runs; always 1.");
    add(build, 1.0, {{"version", from_.version}, {"revision", from_.revision}});
    collect_posture(all, from_);
    collect_policy(all, from_);
    collect_audit(all, from_);
    collect_anomalies(all, from_);
    collect_requests(all, from_);
    collect_bytes(all, from_);
    collect_tunnels(all, from_);
    collect_upstream(all, from_);
    collect_pods(all, from_);
    {
        const std::lock_guard hold{mutex_};
        refresh_clients();
        collect_clients(all, from_, clients_);
        collect_findings(all, from_, clients_);
        collect_budgets(all, from_, clients_);
    }
    collect_process(all);
    return {std::make_move_iterator(all.begin()), std::make_move_iterator(all.end())};
}

// Clients that must be visible now, however little they moved: those with a recent finding above information, and those that have used most
// of a budget.
client_series::addresses metrics::notable() const
{
    constexpr double nearly = 0.8; // the same as in the alert
    client_series::addresses out;
    for (const auto& e : from_.watch.recent())
        if (detect::about(e.what.which).how != detect::severity::info) out.insert(from_.pods.names().address(e.what.client));
    for (const auto& b : fullest_budgets(from_.uploads.book(), from_.policy.now(), limits::status_rows))
        if (b.client && b.share() >= nearly) out.insert(from_.pods.names().address(*b.client));
    return out;
}

void metrics::refresh_clients() const
{
    clients_.refresh(std::chrono::floor<std::chrono::seconds>(std::chrono::steady_clock::now().time_since_epoch()), notable());
}

metrics::clients_now metrics::clients() const
{
    const auto groups = from_.labels.groups();
    const auto seen = notable();
    const std::lock_guard hold{mutex_};
    refresh_clients();
    clients_now out;
    for (const auto& [key, s] : clients_.named())
        out.named.push_back({client_label(groups, key, from_.settings.network), key, s, seen.contains(key.source)});
    out.other = clients_.other();
    return out;
}

std::string metrics::text() const { return prometheus::TextSerializer{}.Serialize(Collect()); }

} // namespace exeat::ops
