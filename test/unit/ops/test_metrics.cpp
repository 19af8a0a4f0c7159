#include <exeat/policy_builder.hpp>
#include <ops/metrics/metrics.hpp>

#include "observed.hpp"

#include <algorithm>
#include <chrono>
#include <doctest/doctest.h>
#include <map>
#include <set>
#include <sstream>

using namespace exeat;
using namespace exeat::ops;
using namespace exeat::test;

namespace {

// "name{labels}" to value, as they stand in the text.
std::map<std::string, std::string> samples(const std::string& text)
{
    std::map<std::string, std::string> all;
    std::istringstream lines{text};
    for (std::string line; std::getline(lines, line);) {
        if (line.empty() || line[0] == '#') continue;
        const auto space = line.rfind(' ');
        const bool new_one = all.emplace(line.substr(0, space), line.substr(space + 1)).second;
        REQUIRE_MESSAGE(new_one, line);
    }
    return all;
}

std::size_t beginning_with(const std::map<std::string, std::string>& all, std::string_view prefix)
{
    return static_cast<std::size_t>(std::count_if(all.begin(), all.end(), [&](const auto& s) { return s.first.starts_with(prefix); }));
}

constexpr std::size_t reasons = verdicts - 1; // "allowed" is none

std::size_t index(verdict v) { return static_cast<std::size_t>(v); }

} // namespace

TEST_CASE("counters of all workers are one number")
{
    observed o;
    o.adopt({"pypi"}, {"training"});
    const auto rule = o.labels.rule_slot("pypi", purpose::pull);
    const auto group = o.labels.group_slot("training");
    for (auto& c : o.counters) {
        c->connections[0].add(3);
        c->connections_active[1].add(2);
        c->requests[0][1].add(5);
        c->denied[index(verdict::sni_mismatch)][group].add(4);
        c->rules[rule].upload.add(9'007'199'254);
        c->closed[ending::policy_revoked].add();
        c->audit_dropped.add(6);
        c->orig_dst_mismatch.add();
        c->accept_pauses.add();
        c->other_host.add(2);
        c->silent.add(3);
        c->sent_again.add(4);
        c->reported[index(verdict::not_allowed)].add(8);
    }
    const auto all = samples(o.numbers->text());
    CHECK(all.at(R"(exeat_connections_total{listener="proxy 127.0.0.1:3128"})") == "6");
    CHECK(all.at(R"(exeat_connections_active{listener="sni 127.0.0.1:8443"})") == "4");
    CHECK(all.at(R"(exeat_worker_connections_active{worker="1"})") == "2");
    CHECK(all.at(R"(exeat_requests_total{mode="connect",decision="allowed"})") == "10");
    CHECK(all.at(R"(exeat_denied_total{reason="sni_mismatch",group="training"})") == "8");
    CHECK(all.at(R"(exeat_bytes_total{direction="upload",entry="pypi",purpose="pull"})") == "18014398508");
    CHECK(all.at(R"(exeat_tunnels_closed_total{cause="policy_revoked"})") == "2");
    CHECK(all.at("exeat_audit_events_dropped_total") == "12");
    CHECK(all.at("exeat_orig_dst_mismatch_total") == "2");
    CHECK(all.at("exeat_accept_pauses_total") == "2");
    CHECK(all.at("exeat_connect_other_host_total") == "4");
    CHECK(all.at("exeat_silent_connections_total") == "6");
    CHECK(all.at("exeat_upstream_resends_total") == "8");
    CHECK(all.at(R"(exeat_reported_total{reason="not_allowed"})") == "16");
    CHECK(all.at("exeat_audit_healthy") == "1");
    CHECK(all.at("exeat_resolver_servers") == "1");
    CHECK(all.at(R"(exeat_build_info{version="1.2.3",revision="abcdef"})") == "1");
}

TEST_CASE("what can rise is there at 0 from the start")
{
    observed o;
    o.adopt({"pypi", "hub"}, {"training", "eval"});
    const auto all = samples(o.numbers->text());
    CHECK(beginning_with(all, "exeat_denied_total{") == 3 * reasons); // _none too
    CHECK(all.at(R"(exeat_bytes_total{direction="upload",entry="pypi",purpose="pull"})") == "0");
    CHECK(all.at(R"(exeat_bytes_total{direction="download",entry="hub",purpose="pull"})") == "0");
    CHECK(beginning_with(all, "exeat_tunnels_closed_total{") == endings);
    CHECK(beginning_with(all, "exeat_requests_total{") == 2 * net::request_modes);
    CHECK(all.at(R"(exeat_policy_reloads_total{result="error"})") == "0");
    CHECK(all.at(R"(exeat_client_bytes_total{client="_other",direction="upload",purpose="push"})") == "0");
    CHECK(all.at(R"(exeat_audit_events_total{result="written"})") == "0");
    CHECK(beginning_with(all, "exeat_upstream_errors_total{") == net::upstream_errors);
    CHECK(beginning_with(all, "exeat_resolver_queries_total{") == net::dns_results);
}

TEST_CASE("with many groups only denials that happened have series, and every reason still has one")
{
    observed o;
    std::vector<std::string> groups;
    for (int i = 0; i < 200; ++i) groups.push_back("group" + std::to_string(i));
    o.adopt({}, groups);
    o.counters[1]->denied[index(verdict::ech)][o.labels.group_slot("group77")].add();
    const auto all = samples(o.numbers->text());
    CHECK(beginning_with(all, "exeat_denied_total{") == reasons + 1);
    CHECK(all.at(R"(exeat_denied_total{reason="ech",group="group77"})") == "1");
}

TEST_CASE("an entry that left the list keeps its bytes and one that never moved any is gone")
{
    observed o;
    o.adopt({"used", "unused"}, {});
    o.counters[0]->rules[o.labels.rule_slot("used", purpose::pull)].download.add(5);
    o.adopt({"new"}, {});
    const auto all = samples(o.numbers->text());
    CHECK(all.at(R"(exeat_bytes_total{direction="download",entry="used",purpose="pull"})") == "5");
    CHECK(all.contains(R"(exeat_bytes_total{direction="download",entry="new",purpose="pull"})"));
    CHECK_FALSE(all.contains(R"(exeat_bytes_total{direction="download",entry="unused",purpose="pull"})"));
}

TEST_CASE("histograms are cumulative, in seconds, and end with +Inf")
{
    observed o;
    for (auto& c : o.counters) {
        c->decision.observe(300);       // nanoseconds
        c->decision.observe(5'000'000); // beyond the last bound
        c->tunnels[1].upload.observe(16'384);
    }
    const auto all = samples(o.numbers->text());
    CHECK(all.at(R"(exeat_decision_duration_seconds_bucket{le="2.5e-07"})") == "0");
    CHECK(all.at(R"(exeat_decision_duration_seconds_bucket{le="5e-07"})") == "2");
    CHECK(all.at(R"(exeat_decision_duration_seconds_bucket{le="0.001"})") == "2");
    CHECK(all.at(R"(exeat_decision_duration_seconds_bucket{le="+Inf"})") == "4");
    CHECK(all.at("exeat_decision_duration_seconds_count") == "4");
    CHECK(std::stod(all.at("exeat_decision_duration_seconds_sum")) == doctest::Approx(0.0100006));
    CHECK(all.at(R"(exeat_tunnel_upload_bytes_bucket{purpose="api",le="1024"})") == "0");
    CHECK(all.at(R"(exeat_tunnel_upload_bytes_bucket{purpose="api",le="16384"})") == "2");
    CHECK(all.at(R"(exeat_tunnel_upload_bytes_sum{purpose="api"})") == "32768");
}

TEST_CASE("the policy's numbers tell what is enforced, how the last reload went and what ends when")
{
    observed o;
    policy_builder b;
    rule r;
    r.name = "grant";
    r.expires = wall_time{std::chrono::seconds{2'000'000'000}};
    b.add_rule(r);
    r.name = "for ever";
    r.expires = never;
    b.add_rule(r);
    const wall_time expires{std::chrono::seconds{1'900'000'000}};
    auto list = std::make_shared<const policy>(std::move(b).finish(reporting_until(never, settings_of(9, expires))));
    o.policy.took_effect(std::move(list), wall_time{std::chrono::seconds{1'700'000'000}});
    o.policy.failed("no");
    o.policy.failed("no");
    const auto all = samples(o.numbers->text());
    CHECK(all.at(R"(exeat_policy_info{sha256="5ha",serial="9",mode="report"})") == "1");
    CHECK(all.at(R"(exeat_policy_reloads_total{result="error"})") == "2");
    CHECK(all.at(R"(exeat_policy_reloads_total{result="ok"})") == "0");
    CHECK(all.at("exeat_policy_last_reload_success") == "0");
    CHECK(all.at("exeat_policy_last_reload_success_timestamp_seconds") == "1700000000");
    CHECK(all.at("exeat_policy_expires_timestamp_seconds") == "1900000000");
    CHECK(all.at("exeat_policy_entries") == "2");
    CHECK(all.at(R"(exeat_entry_expires_timestamp_seconds{entry="grant"})") == "2000000000");
    CHECK(beginning_with(all, "exeat_entry_expires_timestamp_seconds") == 1);
}

TEST_CASE("a label that is no UTF-8 cannot spoil the scrape")
{
    observed o;
    o.adopt({"a\xff\"\n\\"}, {});
    const auto text = o.numbers->text();
    CHECK(text.find('\xff') == text.npos);
    CHECK(text.find("entry=\"a\xef\xbf\xbd\\\"\\n\\\\\"") != text.npos);
}

TEST_CASE("a client's series has its group and address, and all clients together are all bytes")
{
    observed o;
    o.adopt({}, {"training"});
    const auto group = o.labels.group_slot("training");
    auto& known = o.clients[0]->of({ip_address::v4(0x0a000001), group});
    known.bytes[0].upload.add(2'000'000);
    known.last_cut.set(1'700'000'000);
    known.denied.add(3);
    o.clients[1]->of({ip_address::v4(0x0a000001), group}).bytes[0].upload.add(500'000);
    o.clients[1]->of({ip_address::v4(0x0a000002), group}).bytes[0].upload.add(5);
    const auto all = samples(o.numbers->text());
    CHECK(all.at(R"(exeat_client_bytes_total{client="training/10.0.0.1",direction="upload",purpose="pull"})") == "2500000");
    CHECK(all.at(R"(exeat_client_bytes_total{client="training/10.0.0.2",direction="upload",purpose="pull"})") == "5");
    CHECK(all.at(R"(exeat_client_bytes_total{client="_other",direction="upload",purpose="pull"})") == "0");
    CHECK(all.at(R"(exeat_client_denied_total{client="training/10.0.0.1"})") == "3");
    CHECK(all.at(R"(exeat_client_last_cut_timestamp_seconds{client="training/10.0.0.1"})") == "1700000000");
}

TEST_CASE("the oldest tunnel's age is the oldest over all workers, and 0 without tunnels")
{
    observed o;
    CHECK(samples(o.numbers->text()).at(R"(exeat_tunnel_oldest_age_seconds{purpose="pull"})") == "0");
    const auto now = std::chrono::steady_clock::now().time_since_epoch() / std::chrono::nanoseconds{1};
    o.counters[1]->tunnels[0].oldest_start.set(static_cast<std::uint64_t>(now - 5'000'000'000));
    CHECK(std::stod(samples(o.numbers->text()).at(R"(exeat_tunnel_oldest_age_seconds{purpose="pull"})")) >= 5);
}

TEST_CASE("the process's own numbers are there and plausible")
{
    observed o;
    const auto all = samples(o.numbers->text());
    CHECK(std::stod(all.at("process_resident_memory_bytes")) > 100'000);
    CHECK(std::stod(all.at("process_virtual_memory_bytes")) >= std::stod(all.at("process_resident_memory_bytes")));
    CHECK(std::stod(all.at("process_open_fds")) >= 3);
    CHECK(std::stod(all.at("process_max_fds")) >= std::stod(all.at("process_open_fds")));
    const auto now = std::chrono::system_clock::now().time_since_epoch() / std::chrono::seconds{1};
    CHECK(std::stod(all.at("process_start_time_seconds")) > static_cast<double>(now - 86'400));
    CHECK(std::stod(all.at("process_start_time_seconds")) <= static_cast<double>(now + 2));
}

TEST_CASE("every family has a help text and a type, each once")
{
    observed o;
    std::set<std::string> names;
    for (const auto& family : o.numbers->Collect()) {
        CHECK(names.insert(family.name).second);
        CHECK(family.help.size() > 5);
        CHECK(family.name.ends_with("_total") == (family.type == prometheus::MetricType::Counter));
    }
}

TEST_CASE("however many clients there are, the series stay bounded")
{
    observed o{4};
    std::vector<std::string> rules;
    for (std::size_t i = 0; i < limits::rules; ++i) rules.push_back("entry-" + std::to_string(i));
    std::vector<std::string> groups;
    for (int i = 0; i < 16; ++i) groups.push_back("group" + std::to_string(i));
    o.adopt(rules, groups);
    for (std::uint32_t i = 0; i < 20'000; ++i)
        o.clients[i % 4]->of({ip_address::v4(0x0a000000 + i), i % 16 + 1}).bytes[0].upload.add(2 * 1024 * 1024);
    const auto begin = std::chrono::steady_clock::now();
    const auto text = o.numbers->text();
    const auto first = std::chrono::steady_clock::now();
    CHECK(o.numbers->text().size() > 100'000);
    const std::chrono::duration<double, std::milli> cold = first - begin, warm = std::chrono::steady_clock::now() - first;
    const auto all = samples(text);
    MESSAGE(all.size() << " samples, " << text.size() << " bytes, first scrape " << cold.count() << " ms, second " << warm.count()
                       << " ms");
    CHECK(all.size() <= 11'000);
    CHECK(beginning_with(all, "exeat_client_denied_total{") == limits::client_series + 2);
}
