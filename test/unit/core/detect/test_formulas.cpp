// What each detector works out, to the digit, and what it says with it.
#include "told.hpp"

#include <exeat/detect/bank.hpp>

#include <cmath>
#include <string>

using namespace exeat;
using namespace exeat::detect;
using namespace exeat::detect::testing;

namespace {

const thresholds usual;
constexpr std::uint64_t mib = 1 << 20;

flow_event cut(moment at, purpose as, std::uint64_t sent)
{
    auto e = moved(at, 0);
    e.step = flow_step::close;
    e.purpose = as;
    e.tunnel_up = sent;
    e.over_budget = true;
    return e;
}

flow_event under_wildcard(moment at, std::string_view host, verdict said = verdict::allowed)
{
    auto e = opened(at, host);
    e.wildcard = true;
    e.verdict = said;
    if (said != verdict::allowed) e.step = flow_step::deny;
    return e;
}

// So many names of one length, 60 octets.
std::string long_name(int n)
{
    auto label = std::to_string(n);
    return label + std::string(60 - 7 - label.size(), 'a') + ".w.test";
}

} // namespace

TEST_CASE("upload_budget and pull_upload: what the budget cut, with what had left, each once an hour")
{
    detector_bank b{seed, usual};
    findings out;
    b.see(cut(day, purpose::api, 123), out);
    REQUIRE(out.size() == 1);
    CHECK(out[0].which == detector::upload_budget);
    CHECK(out[0].value == 123);
    b.see(cut(day + hour - moment{1}, purpose::telemetry, 124), out);
    CHECK(out.size() == 1);
    b.see(cut(day + hour - moment{1}, purpose::pull, 125), out); // by another name
    REQUIRE(out.size() == 2);
    CHECK(out[1].which == detector::pull_upload);
    b.see(cut(day + hour, purpose::api, 126), out);
    CHECK(out.size() == 3);
    auto whole = cut(2 * day, purpose::api, 127);
    whole.over_budget = false;
    b.see(whole, out);
    b.see(denied(2 * day, "a.test", verdict::name_budget), out);
    CHECK(out.size() == 3);
}

TEST_CASE("drip: each hour twice the usual hour and the floor leak; an hour teaches a hundred-and-sixty-eighth of itself, clipped")
{
    for (const auto& [more, told] : {std::pair{252'976u, 0}, {252'977u, 1}}) { // 250,000 + 2 x 250,000 / 168, rounded up
        drip_watch d{64, seed, usual};
        findings out;
        d.see(moved(moment{0}, 64'000'000), out);
        d.see(moved(hour, more), out);
        CHECK(count(out, detector::drip) == told);
    }
}

TEST_CASE("drip: a client that is new to an entry begins with the usual hour of its clients, in which an hour above counts thrice")
{
    // One hour of 168,000 has taught the first entry 3 x 1,000: within the next hour but a second 256,000 leak there, elsewhere 250,000.
    for (const auto& [entry, more, told] : {std::tuple{1u, 255'928u, 0}, {1u, 255'929u, 1}, {2u, 249'930u, 0}, {2u, 249'931u, 1}}) {
        drip_watch d{64, seed, usual};
        findings out;
        d.see(moved(moment{0}, 168'000, 0, 1), out);
        d.see(moved(hour, 1, 0, 1), out);
        d.see(moved(hour, 64'000'000, 0, 2, entry), out);
        d.see(moved(2 * hour - moment{1}, more, 0, 2, entry), out);
        CHECK(count(out, detector::drip) == told);
    }
}

TEST_CASE("drip: it is told anew only when the bucket was half empty in between")
{
    drip_watch d{64, seed, usual};
    findings out;
    d.see(moved(moment{0}, 64'000'001), out);
    d.see(moved(hour, 10'000'000), out); // above all the while
    CHECK(count(out, detector::drip) == 1);
    d.see(moved(60 * day, 1), out);
    d.see(moved(60 * day, 64'000'000), out);
    CHECK(count(out, detector::drip) == 2);
}

TEST_CASE("direction_flip: (up - down) / (up + down) of the hour, at most every six hours")
{
    direction_watch d{64, seed, usual};
    findings out;
    d.see(moved(day, 0, 1'000 * mib), out);
    d.see(moved(3 * day, 71 * mib, 30 * mib), out);
    REQUIRE(out.size() == 1);
    CHECK(out[0].value == doctest::Approx(41.0 / 101));
    CHECK(out[0].threshold == 0.4);
    d.see(moved(3 * day + 6 * hour - minute, 71 * mib, 30 * mib), out);
    CHECK(out.size() == 1);
    d.see(moved(3 * day + 6 * hour, 1), out);
    CHECK(out.size() == 2);
}

TEST_CASE("first_seen: the value is what went to the host within the hour")
{
    host_history a{64, seed, usual};
    findings out;
    a.see(opened(day, "old.test"), out);
    a.see(opened(3 * day, "new.test"), out);
    for (int n = 0; n < 3; ++n) {
        auto e = moved(3 * day + minute * n, 3 * mib);
        e.host = "new.test";
        a.see(e, out);
    }
    REQUIRE(count(out, detector::first_seen) == 1);
    CHECK(out.back().value == 9 * mib);
    CHECK(out.back().threshold == 8 * mib);
}

TEST_CASE("beacon: the value is the share of gaps within three tenths of the median, the tenths included")
{
    const auto told = [](int regular, int other) {
        host_history a{64, seed, usual};
        findings out;
        for (moment t = hour; t < 2 * day; t += 6 * hour) a.see(opened(t, "old.test"), out);
        moment t = 2 * day;
        a.see(opened(t, "c2.test"), out);
        for (int i = 0; i < 16; ++i) a.see(opened(t += moment{i < regular ? 100 : other}, "c2.test"), out);
        return out.empty() ? 0.0 : out.back().value;
    };
    CHECK(told(9, 130) == 1);
    CHECK(told(9, 70) == 1);
    CHECK(told(10, 131) == 10.0 / 16);
    CHECK(told(10, 69) == 10.0 / 16);
    CHECK(told(9, 131) == 0); // nine of sixteen is less than three fifths
}

TEST_CASE("denied_burst: a walk by fours, and a count")
{
    denial_watch d{64, seed, usual};
    findings out;
    for (const auto* name : {"a.test", "b.test", "c.test", "d.test"}) d.see(denied(day, name), out);
    REQUIRE(out.size() == 1);
    CHECK(out[0].value == 256);
    CHECK(out[0].threshold == 99);
    for (int n = 0; n < 46; ++n) d.see(denied(day, "a.test"), out);
    REQUIRE(out.size() == 2);
    CHECK(out[1].value == 50);
    CHECK(out[1].threshold == 50);
}

TEST_CASE("name_mismatch: the value counts how many there were, those that a line stands for too")
{
    denial_watch d{64, seed, usual};
    findings out;
    auto e = denied(day, "a.test", verdict::ech);
    e.times = 7;
    d.see(e, out);
    e.at += moment{300};
    d.see(e, out);
    REQUIRE(out.size() == 2);
    CHECK(out[0].value == 7);
    CHECK(out[1].value == 14);
}

TEST_CASE("name_channel: 5.2 bits an octet of each new name, also of those that the names' own budget refused")
{
    for (const auto said : {verdict::allowed, verdict::name_budget}) {
        name_watch w{64, seed, usual};
        findings out;
        int names = 0;
        for (; count(out, detector::name_channel) == 0 && names < 300; ++names) w.see(under_wildcard(day, long_name(names), said), out);
        CHECK(std::abs(names - 4'000 * 8 / 5.2 / 60) <= 8);
        CHECK(out.back().value == doctest::Approx(names * 60 * 5.2 / 8).epsilon(0.08));
    }
    name_watch w{64, seed, usual};
    findings out;
    for (int n = 0; n < 300; ++n) w.see(under_wildcard(day, long_name(n), verdict::not_allowed), out);
    CHECK(out.empty()); // they went nowhere
}

TEST_CASE("fan_out: more than five names a day, or more than three times the most of the last seven")
{
    const auto names_until_told = [](int before) {
        name_watch w{64, seed, usual};
        findings out;
        for (int n = 0; n < before; ++n) w.see(under_wildcard(day, std::to_string(n) + ".w.test"), out);
        out.clear();
        int names = 0;
        for (; count(out, detector::fan_out) == 0 && names < 200; ++names)
            w.see(under_wildcard(3 * day, std::to_string(names) + "m.w.test"), out);
        return names;
    };
    CHECK(names_until_told(0) == 6);
    CHECK(names_until_told(1) == 6);
    CHECK(std::abs(names_until_told(20) - 61) <= 4); // counted to a few in a hundred
}

TEST_CASE("uniform_chunks: the value is the median absolute deviation by the median")
{
    chunk_watch c{64, seed, usual};
    findings out;
    for (int n = 0; n < 104; ++n) {
        auto e = moved(day + moment{30} * n, 0);
        e.step = flow_step::close;
        e.tunnel_up = n % 3 == 0 ? 500'000 : n % 3 == 1 ? 510'000 : 520'000; // a third each: the median is 510,000, its deviation 10,000
        c.see(e, out);
    }
    REQUIRE(out.size() == 1);
    CHECK(out[0].value == doctest::Approx(10.0 / 510));
    CHECK(out[0].threshold == 0.05);
}

TEST_CASE(
    "collusion: the value is how many clients filled a bucket there within the day, of whom the last eight are remembered; once a day")
{
    drip_watch d{64, seed, usual};
    findings out;
    for (std::uint32_t who = 1; who <= 40; ++who) d.see(moved(minute * who, 16'000'001, 0, who), out);
    REQUIRE(count(out, detector::collusion) == 1);
    CHECK(out[0].value == 3);
    CHECK(out[0].threshold == 3);
    d.see(moved(minute * 3 + day, 16'000'001, 0, 99), out);
    REQUIRE(count(out, detector::collusion) == 2);
    CHECK(out[1].value == 8);
}

TEST_CASE("long_tunnel: the value is the tunnel's age")
{
    detector_bank b{seed, usual};
    findings out;
    auto e = moved(day, 1);
    e.age = moment{3'661};
    b.see(e, out);
    REQUIRE(count(out, detector::long_tunnel) == 1);
    CHECK(out.back().value == 3'661);
    CHECK(out.back().threshold == 3'600);
}
