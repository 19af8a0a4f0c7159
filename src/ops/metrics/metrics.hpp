// Every number that exeat publishes, read from the workers' plain counters at the time of the scrape. Any thread; one scrape at a time.
#pragma once

#include <exeat/config.hpp>
#include <net/clients/client_table.hpp>
#include <net/counters.hpp>
#include <ops/audit/journal.hpp>
#include <ops/detection/detection.hpp>
#include <ops/metrics/client_series.hpp>
#include <ops/metrics/quarantine_watch.hpp>
#include <ops/policy/label_registry.hpp>
#include <ops/policy/policy_status.hpp>
#include <ops/process/clock_watch.hpp>
#include <ops/state/upload_ledger.hpp>

#include <atomic>
#include <mutex>
#include <prometheus/collectable.h>
#include <prometheus/metric_family.h>
#include <string>
#include <vector>

namespace exeat::ops {

class pod_watch;

// Where the numbers come from; all of it outlives the metrics.
struct metric_sources {
    const config& settings;
    std::vector<const net::counters*> workers;
    std::vector<const net::client_table*> clients; // by worker
    const label_registry& labels;
    const policy_status& policy;
    const journal& audit;
    const detection& watch;
    upload_ledger& uploads;
    const clock_steps& clock;
    const std::atomic<std::size_t>& dns_servers; // number of named servers; 0: the last known ones are used
    const quarantine_watch& quarantine;
    const pod_watch& pods;
    std::string config_sha256, version, revision;
};

class metrics final : public prometheus::Collectable {
public:
    explicit metrics(metric_sources);

    std::vector<prometheus::MetricFamily> Collect() const override;
    std::string text() const; // in Prometheus's text format 0.0.4
    const metric_sources& sources() const noexcept { return from_; }
    // The clients that have series of their own, as a scrape would show them now.
    struct client {
        std::string name; // "group/address"
        net::client_key key;
        client_series::series s;
        bool notable = false; // has a recent finding, or a budget that is nearly used up
    };
    struct clients_now {
        std::vector<client> named;
        client_totals other; // all others together
    };
    clients_now clients() const;

private:
    void refresh_clients() const; // the caller holds the mutex
    client_series::addresses notable() const;

    metric_sources from_;
    mutable std::mutex mutex_;      // guards clients_
    mutable client_series clients_; // remembers what it has published
};

} // namespace exeat::ops
