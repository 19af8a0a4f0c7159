// What stays just under each threshold is not told: where the limits are, and so what a thief who knows this code is left with.
#include "told.hpp"

#include <exeat/budget/budget.hpp>
#include <exeat/detect/bank.hpp>

#include <string>

using namespace exeat;
using namespace exeat::detect;
using namespace exeat::detect::testing;

namespace {

const thresholds usual;
constexpr std::uint64_t mib = 1 << 20;

// What the bank finds of a client that uploads this much through one tunnel, held to the account.
std::ptrdiff_t told_of(upload_account& account, std::uint64_t upload, purpose as, detector which)
{
    detector_bank b{seed, usual};
    findings out;
    account.tunnel_opened();
    auto e = moved(day, account.take(upload, budget_minutes{20'160}));
    e.over_budget = e.up < upload;
    e.step = flow_step::close;
    e.purpose = as;
    b.see(e, out);
    return count(out, which);
}

upload_limits an_hour(std::uint64_t most, bool excess = false)
{
    upload_limits to;
    to.most[0] = most;
    to.excess = excess;
    return to;
}

} // namespace

TEST_CASE("just under: a thief may have the whole of a budget, and a byte more is told")
{
    upload_account within{an_hour(mib), budget_minutes{20'160}}, beyond{an_hour(mib), budget_minutes{20'160}};
    CHECK(told_of(within, mib, purpose::api, detector::upload_budget) == 0);
    CHECK(told_of(beyond, mib + 1, purpose::api, detector::upload_budget) == 1);
}

TEST_CASE("just under: a pull may have its budget and what its tunnel brings, and a byte more is told")
{
    upload_account within{an_hour(mib, true), budget_minutes{20'160}}, beyond{an_hour(mib, true), budget_minutes{20'160}};
    CHECK(told_of(within, mib + 12'288, purpose::pull, detector::pull_upload) == 0);
    CHECK(told_of(beyond, mib + 12'289, purpose::pull, detector::pull_upload) == 1);
}

TEST_CASE("just under: a full bucket and then what leaks of it, for a month: 64 MB and 6 MB a day")
{
    drip_watch d{64, seed, usual};
    findings out;
    d.see(moved(moment{0}, 64'000'000), out);
    for (moment t = hour; t <= 30 * day; t += hour) d.see(moved(t, 250'000), out);
    CHECK(count(out, detector::drip) == 0);
}

TEST_CASE("just under: whatever clients that come and go have taught an entry, the next one begins with a bucket a day and no more")
{
    for (const auto& [more, told] : {std::pair{5'581'782u, 0}, {5'581'783u, 1}}) { // of an hour but a second: 2 x 64 MB / 24 and the floor
        drip_watch d{64, seed, usual};
        findings out;
        for (std::uint32_t who = 1; who < 50; ++who)
            for (moment t{0}; t < day; t += hour) d.see(moved(t + day * who, 1'000'000'000, 0, who), out);
        out.clear();
        d.see(moved(60 * day, 64'000'000, 0, 99), out);
        d.see(moved(60 * day + hour - moment{1}, more, 0, 99), out);
        CHECK(count(out, detector::drip) == told);
    }
}

TEST_CASE("just under: 50 MiB each hour, or more of it while two fifths of the rest come down, flips no direction")
{
    for (const auto& [up, down] : {std::pair{50 * mib, std::uint64_t{0}}, {140 * mib, 60 * mib}}) {
        direction_watch d{64, seed, usual};
        findings out;
        d.see(moved(day, 0, 100'000 * mib), out);
        for (moment t = 2 * day; t < 5 * day; t += hour + 2 * minute) d.see(moved(t, up, down), out);
        CHECK(out.empty());
    }
}

TEST_CASE("just under: 8 MiB each hour to a new host are not told, all day")
{
    host_history a{64, seed, usual};
    findings out;
    a.see(opened(day, "old.test"), out);
    for (moment t = 3 * day; t < 5 * day; t += hour) {
        auto e = moved(t, 8 * mib);
        e.host = "drop.test";
        a.see(e, out);
    }
    CHECK(count(out, detector::first_seen) == 0);
}

TEST_CASE("just under: a tunnel that is dialled anew each hour is no long one")
{
    detector_bank b{seed, usual};
    findings out;
    for (std::uint64_t tunnel = 1; tunnel < 48; ++tunnel) {
        auto e = moved(day + hour * static_cast<int>(tunnel), 1);
        e.id = tunnel;
        e.age = hour - moment{1};
        b.see(e, out);
    }
    CHECK(count(out, detector::long_tunnel) == 0);
}

TEST_CASE("just under: a beacon of which every other gap is regular, or that calls each nine seconds, is not told")
{
    for (const auto& [regular, other] : {std::pair{60, 600}, {9, 9}}) {
        host_history a{64, seed, usual};
        findings out;
        for (moment t = hour; t < 2 * day; t += 6 * hour) a.see(opened(t, "old.test"), out);
        moment t = 2 * day;
        for (int n = 0; n < 320; ++n) a.see(opened(t += moment{n % 2 == 0 ? regular : other}, "c2.test"), out);
        CHECK(count(out, detector::beacon) == 0);
    }
}

TEST_CASE("just under: three doors and then one that opens for each, and 49 refusals each five minutes, are not told")
{
    denial_watch d{64, seed, usual};
    findings out;
    std::string name;
    for (int n = 0; n < 200; ++n) {
        name = std::to_string(n) + ".test";
        d.see(n < 3 || n % 2 == 0 ? denied(day + minute * n, name) : opened(day + minute * n, name), out);
        if (n < 3) continue;
        name = std::to_string(n) + ".open.test";
        if (n % 2 == 0) d.see(opened(day + minute * n, name), out);
    }
    for (int window = 0; window < 20; ++window)
        for (int n = 0; n < 49; ++n) d.see(denied(5 * day + moment{300} * window, "0.test"), out);
    CHECK(count(out, detector::denied_burst) == 0);
}

TEST_CASE("just under: 3,500 octets an hour in names are not told, all day")
{
    name_watch w{64, seed, usual};
    findings out;
    for (int n = 0; n < 24 * 90; ++n) {
        const auto label = std::to_string(n);
        const auto name = label + std::string(53 - label.size(), 'a') + ".w.test";
        auto e = opened(day + hour * (n / 90) + moment{n % 90}, name);
        e.wildcard = true;
        w.see(e, out);
    }
    CHECK(count(out, detector::name_channel) == 0);
}

TEST_CASE("just under: five names a day, and then not quite three times as many each day, are not told")
{
    name_watch w{64, seed, usual};
    findings out;
    int d = 0;
    for (const int names : {5, 13, 35, 94}) {
        for (int n = 0; n < names; ++n) {
            const auto name = std::to_string(d) + "-" + std::to_string(n) + ".w.test";
            auto e = opened(day + (day + minute) * d, name);
            e.wildcard = true;
            w.see(e, out);
        }
        ++d;
    }
    CHECK(count(out, detector::fan_out) == 0);
}

TEST_CASE("just under: 97 equal tunnels an hour, or two sizes a tenth apart, are no chunks")
{
    for (const auto& [apart, more] : {std::pair{37, 0}, {10, 50'000}}) {
        chunk_watch c{64, seed, usual};
        findings out;
        for (int n = 0; n < 1'000; ++n) {
            auto e = moved(day + moment{apart} * n, 0);
            e.step = flow_step::close;
            e.tunnel_up = static_cast<std::uint64_t>(500'000 + (n % 2 == 0 ? more : 0));
            c.see(e, out);
        }
        CHECK(out.empty());
    }
}

TEST_CASE("just under: one more client each twelve hours, for weeks, does not collude")
{
    drip_watch d{64, seed, usual};
    findings out;
    for (std::uint32_t who = 1; who < 60; ++who) d.see(moved(hour * 12 * who, 16'000'001, 0, who), out);
    CHECK(count(out, detector::collusion) == 0);
}
