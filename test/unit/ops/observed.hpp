// All that the metrics and the admin listener read, with real workers' counters, for tests.
#pragma once

#include "temporary_directory.hpp"

#include <exeat/policy_builder.hpp>
#include <ops/identity/pod_watch.hpp>
#include <ops/metrics/metrics.hpp>

#include <memory>
#include <utility>
#include <vector>

namespace exeat::test {

inline policy_settings settings_of(std::uint64_t serial, wall_time expires = never)
{
    policy_settings s;
    s.serial = serial;
    s.expires = expires;
    s.sha256 = "5ha";
    return s;
}

inline policy_settings reporting_until(wall_time end, policy_settings s = settings_of(7))
{
    s.report = true;
    s.report_until = end;
    return s;
}

struct observed {
    explicit observed(std::size_t workers = 2)
    {
        settings.listeners.push_back({listen_mode::proxy, {ip_address::v4(0x7f000001), 3128}, {}, 0});
        settings.listeners.push_back({listen_mode::sni, {ip_address::v4(0x7f000001), 8443}, {}, 443});
        for (std::size_t i = 0; i < workers; ++i) {
            counters.push_back(std::make_unique<net::counters>());
            clients.push_back(std::make_unique<net::client_table>());
        }
        std::vector<const net::counters*> counts;
        std::vector<const net::client_table*> tables;
        for (const auto& c : counters) counts.push_back(c.get());
        for (const auto& t : clients) tables.push_back(t.get());
        audit = std::make_unique<ops::journal>(dir.path("audit.jsonl"), std::vector<net::audit_ring*>{}, labels, policy);
        numbers = std::make_unique<ops::metrics>(ops::metric_sources{settings, counts, tables, labels, policy, *audit, watch, uploads,
                                                                     clock, dns_servers, quarantine, pods, "c0ffee", "1.2.3", "abcdef"});
    }

    // A list with these allow rules and groups takes effect.
    void adopt(const std::vector<std::string>& rules, const std::vector<std::string>& groups, policy_settings s = settings_of(7))
    {
        policy_builder b;
        for (const auto& name : groups) b.add_group({name, {}, labels.group_slot(name)});
        for (const auto& name : rules) {
            rule r;
            r.name = name;
            r.slot = labels.rule_slot(name, purpose::pull);
            b.add_rule(std::move(r));
        }
        policy.took_effect(std::make_shared<const exeat::policy>(std::move(b).finish(std::move(s))),
                           wall_time{std::chrono::seconds{1'000}});
    }

    temporary_directory dir;
    std::atomic<std::size_t> dns_servers{1};
    ops::clock_steps clock;
    config settings;
    ops::label_registry labels;
    ops::policy_status policy;
    std::vector<std::unique_ptr<net::counters>> counters;
    std::vector<std::unique_ptr<net::client_table>> clients;
    std::unique_ptr<ops::journal> audit;
    ops::detection watch{detector_settings{}};
    ops::event_log log{ops::log_format::people};
    ops::upload_ledger uploads{{}, log};
    boost::asio::io_context io;
    ops::quarantine_watch quarantine{io, dir.path(""), whole_address, log};
    ops::pod_watch pods{{}, log};
    std::unique_ptr<ops::metrics> numbers;
};

} // namespace exeat::test
