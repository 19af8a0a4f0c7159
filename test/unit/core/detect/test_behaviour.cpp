#include "told.hpp"

#include <exeat/detect/bank.hpp>
#include <exeat/detect/distinct.hpp>

#include <cmath>
#include <string>

using namespace exeat;
using namespace exeat::detect;
using namespace exeat::detect::testing;

namespace {

const thresholds usual;

std::string numbered(const char* before, int n) { return before + std::to_string(n) + ".w.test"; }

} // namespace

TEST_CASE("first_seen: much to a host that is new to a client which is not")
{
    const auto told = [](moment client_is, std::uint64_t up, moment later) {
        host_history a{64, seed, usual};
        findings out;
        a.see(opened(day, "old.test"), out);
        a.see(opened(day + client_is, "new.test"), out);
        auto e = moved(day + client_is + later, up);
        e.host = "new.test";
        a.see(e, out);
        return count(out, detector::first_seen);
    };
    const std::uint64_t much = (8 << 20) + 1;
    CHECK(told(2 * day, much, minute) == 1);
    CHECK(told(2 * day, much - 1, minute) == 0);  // an hour's worth and no more
    CHECK(told(day - minute, much, minute) == 0); // the client itself is new
    CHECK(told(2 * day, much, day) == 0);         // the host is not new any more
    CHECK(told(2 * day, much, 25 * hour) == 0);
}

TEST_CASE("first_seen: a host that was not used for a fortnight is new again")
{
    for (const auto& [away, told] : {std::pair{13 * day, 0}, {15 * day, 1}}) {
        host_history a{64, seed, usual};
        findings out;
        a.see(opened(day, "old.test"), out);
        a.see(opened(day, "drop.test"), out);
        for (moment t = day; t < day + away; t += day) a.see(opened(t, "old.test"), out);
        auto e = moved(day + away, 9 << 20);
        e.host = "drop.test";
        a.see(e, out);
        CHECK(count(out, detector::first_seen) == told);
    }
}

TEST_CASE("first_seen: who opens a new host is met for a day, with what went there within the hour")
{
    host_history a{64, seed, usual};
    findings out;
    const auto meets = [&](moment at, const char* host) {
        a.see(opened(at, host), out);
        return a.met().has_value();
    };
    CHECK_FALSE(meets(day, "old.test"));
    CHECK_FALSE(meets(2 * day - minute, "early.test"));
    CHECK(meets(2 * day, "new.test"));
    CHECK(a.met()->until == 3 * day);
    CHECK(a.met()->hour_up == 0);
    auto e = moved(2 * day + minute, 5'000);
    e.host = "new.test";
    a.see(e, out);
    CHECK_FALSE(a.met());
    CHECK(meets(2 * day + hour - minute, "new.test"));
    CHECK(a.met()->hour_up == 5'000);
    CHECK(meets(2 * day + hour, "new.test"));
    CHECK(a.met()->hour_up == 0);
    CHECK_FALSE(meets(2 * day + hour, "old.test"));
    CHECK(meets(3 * day - moment{1}, "new.test"));
    CHECK_FALSE(meets(3 * day, "new.test"));
    CHECK(out.empty());
}

TEST_CASE("first_seen: whoever enforces the budget says when it is spent, and it is told once a day")
{
    host_history a{64, seed, usual};
    findings out;
    a.see(opened(day, "old.test"), out);
    a.see(opened(3 * day, "new.test"), out);
    auto e = moved(3 * day, 1'000'000);
    e.host = "new.test";
    e.over_new_host = true;
    a.see(e, out);
    a.see(e, out);
    REQUIRE(count(out, detector::first_seen) == 1);
    CHECK(out[0].value == out[0].threshold);
    e.host = "old.test";
    a.see(e, out);
    CHECK(out.size() == 1);
}

TEST_CASE("beacon: regular calls to a new host, and neither irregular nor quick ones, nor to an old host")
{
    const auto told = [](auto gap, int calls, const char* host) {
        host_history a{64, seed, usual};
        findings out;
        for (moment t = hour; t < 3 * day; t += 6 * hour) a.see(opened(t, "old.test"), out);
        moment t = 3 * day;
        for (int i = 0; i < calls; ++i, t += moment{gap(i)}) a.see(opened(t, host), out);
        return count(out, detector::beacon);
    };
    const auto every_minute = [](int) { return 60; };
    CHECK(told(every_minute, 17, "c2.test") == 1);
    CHECK(told(every_minute, 16, "c2.test") == 0);
    CHECK(told(every_minute, 17, "old.test") == 0);
    CHECK(told([](int) { return 9; }, 40, "c2.test") == 0);
    CHECK(told([](int i) { return i % 10 < 6 ? 60 : 600; }, 41, "c2.test") == 1); // three fifths are regular
    CHECK(told([](int i) { return i % 2 == 0 ? 60 : 20 + i * 37; }, 41, "c2.test") == 0);
}

TEST_CASE("denied_burst: four different doors, and not the same one often, nor with as many that open")
{
    const auto walked = [](auto event, int n) {
        denial_watch d{64, seed, usual};
        findings out;
        for (int i = 0; i < n; ++i) d.see(event(i), out);
        return count(out, detector::denied_burst);
    };
    std::string name;
    const auto next = [&name](int i) -> const std::string& { return name = numbered("n", i); };
    CHECK(walked([&](int i) { return denied(hour, next(i)); }, 4) == 1);
    CHECK(walked([&](int i) { return denied(hour, next(i)); }, 3) == 0);
    CHECK(walked([&](int) { return denied(hour, "same.test"); }, 49) == 0);
    CHECK(walked([&](int) { return denied(hour, "same.test"); }, 50) == 1); // fifty within five minutes, whatever they are
    CHECK(walked([&](int i) { return denied(hour + minute * i, "same.test"); }, 500) == 0);
    CHECK(walked([&](int i) { return i % 2 == 0 ? denied(hour, next(i)) : opened(hour, next(i)); }, 60) == 0);
}

TEST_CASE("denied_burst: a line of the log that stands for many denials counts as many")
{
    denial_watch d{64, seed, usual};
    findings out;
    auto e = denied(hour, "same.test");
    e.times = 50;
    d.see(e, out);
    CHECK(count(out, detector::denied_burst) == 1);
}

TEST_CASE("name_mismatch: the first one is told, for no honest client does it, and then one each five minutes")
{
    for (const auto why :
         {verdict::sni_mismatch, verdict::sni_missing, verdict::sni_changed, verdict::ech, verdict::not_tls, verdict::tls_malformed}) {
        denial_watch d{64, seed, usual};
        findings out;
        d.see(denied(hour, "a.test", why), out);
        d.see(denied(hour + moment{299}, "a.test", why), out);
        CHECK(count(out, detector::name_mismatch) == 1);
        d.see(denied(hour + moment{300}, "a.test", why), out);
        CHECK(count(out, detector::name_mismatch) == 2);
    }
    denial_watch d{64, seed, usual};
    findings out;
    d.see(denied(hour, "a.test", verdict::not_allowed), out);
    CHECK(out.empty());
}

TEST_CASE("name_channel: what new labels carry within an hour, and names that are used again carry nothing")
{
    const auto told = [](int names, moment apart, int repeats) {
        name_watch w{64, seed, usual};
        findings out;
        for (int i = 0; i < names; ++i)
            for (int r = 0; r < repeats; ++r) {
                const auto label = std::string(50, 'a') + numbered("x", i);
                auto e = opened(apart * i, label);
                e.wildcard = true;
                w.see(e, out);
            }
        return count(out, detector::name_channel);
    };
    CHECK(told(140, moment{1}, 1) == 1); // 60 octets of 5.2 bits each: 4,000 octets after some 103 names
    CHECK(told(80, moment{1}, 1) == 0);
    CHECK(told(80, moment{1}, 20) == 0);
    CHECK(told(1'000, moment{60}, 1) == 0); // sixty an hour
}

TEST_CASE("fan_out: more names of a wildcard than ever, and an entry without a wildcard has none")
{
    const auto told = [](int before, int now, bool wildcard) {
        name_watch w{64, seed, usual};
        findings out;
        for (int d = 0; d < 3; ++d)
            for (int i = 0; i < before; ++i) {
                const auto name = numbered("n", i);
                auto e = opened(day * d, name);
                e.wildcard = wildcard;
                w.see(e, out);
            }
        out.clear();
        for (int i = 0; i < now; ++i) {
            const auto name = numbered("m", i);
            auto e = opened(day * 4 + minute * i, name);
            e.wildcard = wildcard;
            w.see(e, out);
        }
        return count(out, detector::fan_out);
    };
    CHECK(told(1, 5, true) == 0);
    CHECK(told(1, 8, true) == 1);
    CHECK(told(10, 25, true) == 0); // three times what it was
    CHECK(told(10, 45, true) == 1);
    CHECK(told(1, 50, false) == 0);
}

TEST_CASE("long_tunnel: a pull that is held for an hour is told once, and no other purpose")
{
    detector_bank b{seed, usual};
    findings out;
    auto e = moved(day, 1);
    e.id = 5;
    for (const auto age : {moment{3'599}, moment{3'600}, moment{7'200}}) {
        e.age = age;
        b.see(e, out);
        CHECK(count(out, detector::long_tunnel) == (age < hour ? 0 : 1));
    }
    e.purpose = purpose::telemetry;
    e.id = 6;
    b.see(e, out);
    CHECK(count(out, detector::long_tunnel) == 1);
}

TEST_CASE("a budget that cut or refused is a finding under the name of its purpose")
{
    detector_bank b{seed, usual};
    findings out;
    b.see(denied(day, "a.test", verdict::budget), out);
    CHECK(count(out, detector::pull_upload) == 1);
    auto e = moved(day, 1, 0, 2);
    e.step = flow_step::close;
    e.over_budget = true;
    e.purpose = purpose::api;
    b.see(e, out);
    CHECK(count(out, detector::upload_budget) == 1);
}

TEST_CASE("a score rises with each finding by its severity, and halves in an hour")
{
    detector_bank b{seed, usual};
    findings out;
    CHECK(b.score(a_pod(1), day) == 0);
    b.see(denied(day, "a.test", verdict::sni_mismatch), out);
    CHECK(b.score(a_pod(1), day) == doctest::Approx(50));
    CHECK(b.score(a_pod(1), day + hour) == doctest::Approx(25));
    CHECK(b.score(a_pod(2), day) == 0);
    CHECK(b.score(a_pod(1), day - hour) == doctest::Approx(50)); // a clock that differs does not raise it
}

TEST_CASE("however many clients and hosts there are, the tables keep their size and count what they forgot")
{
    detector_bank b{seed, usual};
    findings out;
    for (std::uint32_t n = 0; n < limits::detect_clients + 1'000; ++n) b.see(denied(day, "a.test", verdict::sni_missing, n), out);
    for (std::uint32_t n = 0; n < limits::detect_clients + 1'000; ++n) b.see(moved(day, 1, 1, n), out);
    for (const auto& t : b.tables()) {
        CHECK(t.entries <= t.capacity);
        if (t.name == "denials" || t.name == "drip" || t.name == "scores") CHECK(t.evictions >= 1'000);
    }
}

TEST_CASE("distinct values are counted to a tenth, again and again the same one as one")
{
    distinct d;
    CHECK(d.estimate() == doctest::Approx(0));
    for (int i = 0; i < 100; ++i) d.add(hash_of("same", seed));
    CHECK(d.estimate() == doctest::Approx(1).epsilon(0.01));
    for (const int n : {10, 100, 1'000, 100'000}) {
        d.clear();
        for (int i = 0; i < n; ++i) d.add(hash_of(std::to_string(i), seed));
        CHECK(std::abs(d.estimate() - n) <= 0.2 * n);
    }
}
