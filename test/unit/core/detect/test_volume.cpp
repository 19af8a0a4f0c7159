#include "told.hpp"

#include <exeat/detect/chunks.hpp>
#include <exeat/detect/direction.hpp>
#include <exeat/detect/drip.hpp>

using namespace exeat;
using namespace exeat::detect;
using namespace exeat::detect::testing;

namespace {

const thresholds usual;

// Uploads `each` octets every minute for so long; when the first finding came, or nothing.
std::optional<moment> dripped(double each, moment lasts, std::uint32_t who = 1, drip_watch* into = nullptr, findings* found = nullptr)
{
    drip_watch own{64, seed, usual};
    auto& d = into != nullptr ? *into : own;
    findings mine;
    auto& out = found != nullptr ? *found : mine;
    for (moment t = minute; t <= lasts; t += minute) {
        d.see(moved(t, static_cast<std::uint64_t>(each), 0, who), out);
        if (count(out, detector::drip) > 0) return t;
    }
    return std::nullopt;
}

} // namespace

TEST_CASE("drip: the bucket fills by what is uploaded less what leaks, and is told once above its size")
{
    drip_watch d{64, seed, usual};
    findings out;
    d.see(moved(moment{0}, 64'000'000), out);
    CHECK(out.empty());
    d.see(moved(moment{0}, 1), out);
    REQUIRE(out.size() == 1);
    CHECK(out[0].which == detector::drip);
    CHECK(out[0].client == a_pod(1));
    CHECK(out[0].value == doctest::Approx(64'000'001));
    CHECK(out[0].threshold == 64e6);
    d.see(moved(moment{1}, 1'000'000), out);
    CHECK_MESSAGE(out.size() == 1, "what goes on is not news");
}

TEST_CASE("drip: what was told is told again when it has doubled, and anew once half of it has leaked")
{
    drip_watch d{64, seed, usual};
    findings out;
    d.see(moved(moment{0}, 65'000'000), out);
    d.see(moved(moment{0}, 65'000'000), out);
    CHECK(out.size() == 1);
    d.see(moved(moment{0}, 1), out);
    REQUIRE(out.size() == 2);
    CHECK(out[1].value == doctest::Approx(130'000'001));
    CHECK(out[1].threshold == doctest::Approx(130'000'000));
    d.see(moved(20 * day, 1), out);
    d.see(moved(20 * day, 65'000'000), out);
    CHECK(out.size() == 3);
}

TEST_CASE("drip: 100 KB a minute is seen within half a day and 10 KB a minute is not: its hour is not above the floor by enough")
{
    const auto at = dripped(100e3, 2 * day);
    REQUIRE(at.has_value());
    CHECK(*at < hour * 14);
    CHECK_FALSE(dripped(250e3 / 60, 14 * day).has_value()); // the floor itself, for ever
}

TEST_CASE("drip: a ramp does not teach the usual hour what it wants")
{
    drip_watch d{64, seed, usual};
    findings out;
    double each = 1e3;
    moment seen{0};
    for (moment t = minute; t <= 21 * day && seen == moment{0}; t += minute) {
        each *= 1.0002; // 33 % more each day
        d.see(moved(t, static_cast<std::uint64_t>(each)), out);
        if (!out.empty()) seen = t;
    }
    CHECK(seen > moment{0});
}

TEST_CASE("drip: a steady uploader within twice its usual hour stays quiet for weeks")
{
    drip_watch d{64, seed, usual};
    findings out;
    for (moment t = hour; t <= 60 * day; t += hour) d.see(moved(t, 240'000), out);
    for (moment t = 60 * day + hour; t <= 90 * day; t += hour) d.see(moved(t, 480'000), out);
    CHECK(out.empty());
}

TEST_CASE("drip: clients and entries have buckets of their own, and a full table lets the one go that was used longest ago")
{
    drip_watch d{2, seed, usual};
    findings out;
    d.see(moved(moment{0}, 60'000'000, 0, 1), out);
    d.see(moved(moment{0}, 60'000'000, 0, 1, 2), out);
    CHECK(out.empty());
    d.see(moved(moment{0}, 60'000'000, 0, 2), out); // client 1 at entry 1 goes
    CHECK(d.buckets().evicted() == 1);
    d.see(moved(moment{0}, 60'000'000, 0, 1, 2), out);
    CHECK(out.size() == 1);
    d.see(moved(moment{0}, 60'000'000, 0, 1), out);
    CHECK_MESSAGE(out.size() == 1, "it began anew");
}

TEST_CASE("collusion: three clients that fill a bucket at one entry within a day, and not two, nor three over more days")
{
    for (const auto& [apart, clients, told] : {std::tuple{hour, 3u, 1}, {hour, 2u, 0}, {day, 3u, 0}, {day / 3, 3u, 1}}) {
        drip_watch d{64, seed, usual};
        findings out;
        for (std::uint32_t who = 1; who <= clients; ++who) d.see(moved(apart * who, 16'000'001, 0, who), out);
        CHECK(count(out, detector::collusion) == told);
    }
    drip_watch d{64, seed, usual};
    findings out;
    for (std::uint32_t who = 1; who <= 3; ++who) d.see(moved(hour * who, 16'000'000, 0, who), out); // just under
    CHECK(out.empty());
}

TEST_CASE("direction_flip: a reader that turns sender is told, and each condition by itself is not enough")
{
    const auto mib = std::uint64_t{1} << 20;
    const auto flips = [&](std::uint64_t read_before, std::uint64_t up, std::uint64_t down) {
        direction_watch d{64, seed, usual};
        findings out;
        d.see(moved(day, 0, read_before), out);
        d.see(moved(3 * day, up, down), out);
        return count(out, detector::direction_flip);
    };
    CHECK(flips(1'000 * mib, 51 * mib, 0) == 1);
    CHECK(flips(1'000 * mib, 50 * mib, 0) == 0);        // not more than 50 MiB
    CHECK(flips(1'000 * mib, 70 * mib, 30 * mib) == 0); // leans by 0.4 and no more
    CHECK(flips(1'000 * mib, 71 * mib, 30 * mib) == 1);
    CHECK(flips(100 * mib, 51 * mib, 0) == 0); // it was no reader
}

TEST_CASE("direction_flip: what is older than a week is forgotten")
{
    direction_watch d{64, seed, usual};
    findings out;
    d.see(moved(day, 0, std::uint64_t{1} << 40), out);
    d.see(moved(11 * day, 100 << 20), out);
    CHECK(out.empty());
}

TEST_CASE("uniform_chunks: a hundred tunnels of one size within an hour, and neither fewer, nor slower, nor uneven ones")
{
    const auto told = [](std::size_t tunnels, moment apart, auto size) {
        chunk_watch c{64, seed, usual};
        findings out;
        for (std::size_t i = 0; i < tunnels; ++i) {
            auto e = moved(apart * static_cast<int>(i), 0);
            e.step = flow_step::close;
            e.tunnel_up = size(i);
            c.see(e, out);
        }
        return count(out, detector::uniform_chunks);
    };
    const auto same = [](std::size_t) { return std::uint64_t{512'000}; };
    CHECK(told(104, moment{30}, same) == 1);
    CHECK(told(99, moment{30}, same) == 0);
    CHECK(told(500, moment{40}, same) == 0);                                                     // ninety an hour
    CHECK(told(104, moment{30}, [](std::size_t i) { return 500'000 + 2'400 * (i % 20); }) == 1); // within 5 %
    CHECK(told(104, moment{30}, [](std::size_t i) { return 400'000 + 15'000 * (i % 20); }) == 0);
    CHECK(told(104, moment{30}, [](std::size_t) { return std::uint64_t{15'999}; }) == 0);
    CHECK(told(104, moment{30}, [](std::size_t) { return std::uint64_t{1'000'001}; }) == 0);
}
