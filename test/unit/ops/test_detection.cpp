#include <exeat/budget/budget_book.hpp>
#include <exeat/policy.hpp>
#include <exeat/policy_builder.hpp>
#include <ops/audit/audit_line.hpp>
#include <ops/detection/detection.hpp>
#include <ops/evidence/audit_chain.hpp>
#include <ops/policy/label_registry.hpp>

#include <doctest/doctest.h>
#include <fmt/core.h>
#include <vector>

using namespace exeat;
using namespace exeat::ops;
using namespace std::chrono_literals;

namespace {

constexpr wall_time noon{std::chrono::seconds{1'750'000'000}};

// A list of so many entries, each with a name that no list before had.
policy list_of(label_registry& labels, std::size_t generation, std::size_t entries, purpose p)
{
    policy_builder b;
    for (std::size_t i = 0; i < entries; ++i) {
        rule r;
        r.name = fmt::format("g{}-{}", generation, i);
        r.purpose = p;
        b.rule_at(b.add_rule(r)).slot = labels.rule_slot(r.name, p);
    }
    return std::move(b).finish({});
}

net::audit_record record_of(const rule& by, net::audit_action action, std::uint32_t client)
{
    net::audit_record r;
    r.action = action;
    r.at = noon;
    r.source = r.client = ip_address::v4(client);
    r.rule_slot = by.slot, r.rule_id = by.id, r.rule_purpose = by.purpose;
    r.host = net::bounded_text{"a.w.test"};
    return r;
}

struct detectors_that_cut {
    detectors_that_cut() : settings{all_cut()}
    {
        watch.on_action([this](const detect::finding& f, detector_action what) {
            CHECK(what == detector_action::cut);
            found.push_back(f);
        });
    }
    static detector_settings all_cut()
    {
        detector_settings s;
        s.actions.fill(detector_action::cut);
        return s;
    }
    void see(const net::audit_record& r) { watch.see(r, told); }
    bool has_found(detect::detector d, const ip_address& client, std::uint64_t entry) const
    {
        return std::any_of(found.begin(), found.end(),
                           [&](const auto& f) { return f.which == d && f.client == client && f.entry.id == entry; });
    }
    detector_settings settings;
    detection watch{settings};
    detect::findings found;
    std::vector<anomaly_event> told;
};

std::uint64_t tunnel = 0;

void drip_names_and_chunks(detectors_that_cut& d, const rule& by, std::uint32_t client)
{
    auto r = record_of(by, net::audit_action::close, client);
    r.upload = 60'000'000;
    r.id = ++tunnel;
    d.see(r);
    for (int i = 0; i < 200; ++i) {
        r = record_of(by, net::audit_action::open, client);
        r.by_wildcard = true;
        r.host = net::bounded_text{fmt::format("a-long-name-that-carries-much-{}.w.test", i)};
        d.see(r);
    }
    for (int i = 0; i < 200; ++i) {
        r = record_of(by, net::audit_action::close, client);
        r.upload = 100'000;
        r.id = ++tunnel;
        d.see(r);
    }
}

} // namespace

TEST_CASE("detectors see and act on an entry whose name found no slot, and do not mix it with another such entry")
{
    label_registry labels;
    for (std::size_t generation = 0; generation < 3; ++generation) list_of(labels, generation, limits::rules, purpose::pull);
    const auto newest = list_of(labels, 3, 3, purpose::api);
    const auto &one = newest.rules()[0], &other = newest.rules()[1], &third = newest.rules()[2];
    REQUIRE((one.slot == label_registry::other_rule && other.slot == label_registry::other_rule));
    REQUIRE((one.id != 0 && one.id != other.id));

    detectors_that_cut d;
    drip_names_and_chunks(d, one, 1);
    using enum detect::detector;
    for (const auto which : {drip, name_channel, fan_out, uniform_chunks}) {
        CAPTURE(static_cast<int>(which));
        CHECK(d.has_found(which, ip_address::v4(1), one.id));
    }
    for (const auto& f : d.found) CHECK(f.entry.id == one.id);

    // What a client did at one of them is nothing at another: half as much at each of two is no finding.
    const auto before = d.found.size();
    for (const auto* by : {&other, &third}) {
        auto r = record_of(*by, net::audit_action::close, 2);
        r.upload = static_cast<std::uint64_t>(d.settings.than.drip_bytes * 0.6);
        r.id = ++tunnel;
        d.see(r);
    }
    CHECK(d.found.size() == before);
}

TEST_CASE("a budget that is spent at an entry without a slot is told by the entry's purpose")
{
    label_registry labels;
    for (std::size_t generation = 0; generation < 3; ++generation) list_of(labels, generation, limits::rules, purpose::pull);
    const auto list = list_of(labels, 3, 1, purpose::api);
    detectors_that_cut d;
    auto r = record_of(list.rules()[0], net::audit_action::deny, 1);
    r.verdict = verdict::budget;
    d.see(r);
    CHECK(d.has_found(detect::detector::upload_budget, ip_address::v4(1), list.rules()[0].id));
    CHECK_FALSE(d.has_found(detect::detector::pull_upload, ip_address::v4(1), list.rules()[0].id));
}

TEST_CASE("what report mode lets pass is an entry of its own for the detectors")
{
    detectors_that_cut d;
    rule reported;
    reported.id = budget_key::id_of("_report");
    reported.slot = reported_rule_slot;
    drip_names_and_chunks(d, reported, 1);
    CHECK(d.has_found(detect::detector::drip, ip_address::v4(1), reported.id));
}

TEST_CASE("an entry without a slot has its name in the log, with what was found at it")
{
    label_registry labels;
    policy_status status;
    for (std::size_t generation = 0; generation < 3; ++generation) list_of(labels, generation, limits::rules, purpose::pull);
    const auto list = list_of(labels, 3, 2, purpose::api);
    audit_line writer{labels, status};
    audit_chain chain;
    const auto line = [&](const auto& what) {
        std::string out;
        writer.append(out, what, chain);
        return out;
    };
    CHECK(line(record_of(list.rules()[1], net::audit_action::open, 1)).find(R"("rule.name":"g3-1")") != std::string::npos);
    CHECK(line(record_of(list.rules()[0], net::audit_action::deny, 1)).find(R"("rule.name":"g3-0")") != std::string::npos);
    anomaly_event e;
    e.what = {detect::detector::drip, ip_address::v4(1), {list.rules()[1].id, list.rules()[1].slot}, 2, 1};
    CHECK(line(e).find(R"("rule.name":"g3-1")") != std::string::npos);
    CHECK(line(record_of({}, net::audit_action::deny, 1)).find("rule.name") == std::string::npos);
}

TEST_CASE("a line that is a sum counts by what it stands for, and tells no detector of sizes that nothing had")
{
    label_registry labels;
    const auto list = list_of(labels, 0, 1, purpose::api);
    const auto& by = list.rules()[0];
    detectors_that_cut d;
    using enum detect::detector;
    auto denials = record_of(by, net::audit_action::deny, 1);
    denials.verdict = verdict::not_allowed;
    denials.stands_for = static_cast<std::uint32_t>(d.settings.than.denied_burst);
    d.see(denials);
    CHECK(d.has_found(denied_burst, ip_address::v4(1), by.id));
    for (int i = 0; i < 200; ++i) {
        auto r = record_of(by, net::audit_action::close, 2);
        r.stands_for = 10;
        r.upload = 100'000; // of ten together
        r.id = ++tunnel;
        d.see(r);
    }
    CHECK_FALSE(d.has_found(uniform_chunks, ip_address::v4(2), by.id));
    auto much = record_of(by, net::audit_action::close, 2);
    much.stands_for = 1'000;
    much.upload = static_cast<std::uint64_t>(d.settings.than.drip_bytes) + 1'000'000;
    d.see(much);
    CHECK(d.has_found(drip, ip_address::v4(2), by.id));
}

TEST_CASE("wrong names of one client are counted one by one, and a neighbour's flood gives nobody a finding")
{
    label_registry labels;
    const auto list = list_of(labels, 0, 1, purpose::api);
    const auto& by = list.rules()[0];
    detectors_that_cut d;
    auto wrong = record_of(by, net::audit_action::deny, 2);
    wrong.verdict = verdict::sni_mismatch;
    auto flood = record_of(by, net::audit_action::deny, 1);
    flood.verdict = verdict::not_allowed;
    flood.stands_for = 100'000;
    auto refused_once = record_of(by, net::audit_action::deny, 3);
    refused_once.verdict = verdict::not_allowed;
    for (int i = 0; i < 30; ++i) d.see(flood), d.see(wrong);
    d.see(refused_once);
    wrong.at += 6min; // it is told again after five
    d.see(wrong);
    for (const auto& f : d.found) CHECK(f.client != ip_address::v4(3));
    std::vector<double> counted;
    for (const auto& f : d.found)
        if (f.which == detect::detector::name_mismatch) counted.push_back(f.value);
    CHECK(counted == std::vector<double>{1, 31});
}
