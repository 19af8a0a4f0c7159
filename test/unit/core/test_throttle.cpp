#include <exeat/budget/budget.hpp>
#include <exeat/budget/throttle.hpp>
#include <exeat/limits.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <thread>

using namespace exeat;
using namespace std::chrono_literals;

namespace {

constexpr throttle::moment start = 29'000'000min, for_ever = 1'000'000h;
constexpr upload_rate slow{1 << 20, 1min}, quick{100 << 20, 1s};

ip_address pod(std::uint32_t n) { return ip_address::v4(0x0a000000 + n); }

std::uint64_t brings(const upload_rate& r, throttle::moment within)
{
    __extension__ using wide = unsigned __int128;
    return static_cast<std::uint64_t>(static_cast<wide>(r.bytes) * static_cast<wide>(within.count()) /
                                      static_cast<wide>(std::chrono::nanoseconds{r.per}.count()));
}

} // namespace

TEST_CASE("a throttle gives its burst at once, then exactly what the rate brings, and its idle time but as a burst")
{
    for (const auto& [rate, burst] : {std::pair{slow, limits::throttle_burst}, {quick, std::uint64_t{25 << 20}}}) {
        throttle t{rate, start, for_ever};
        CHECK(t.burst() == burst);
        CHECK(t.take(burst - 1, start) == burst - 1);
        CHECK(t.take(5, start) == 1);
        CHECK(t.take(1, start) == 0);
        std::uint64_t all = burst;
        for (auto now = start; now < start + 1h; now += 99'991us) all += t.take(unlimited, now);
        CHECK(all + t.take(unlimited, start + 1h) == burst + brings(rate, 1h));
        CHECK(t.take(unlimited, start + 48h) == burst);
        t.give_back(100);
        CHECK(t.take(200, start + 48h) == 100);
    }
}

TEST_CASE("between any two moments there leaves the burst and what the rate brings, and not a byte more")
{
    CHECK(limits::throttle_burst < brings(quick, limits::throttle_burst_time));
    std::mt19937 random{5};
    for (const auto& rate : {slow, quick, upload_rate{1'024, 24h}, upload_rate{limits::throttle_ceiling, 1s}, upload_rate{777, 13ms}}) {
        throttle t{rate, start, for_ever};
        std::vector<std::pair<throttle::moment, std::uint64_t>> taken;
        auto now = start;
        for (int i = 0; i < 1'500; ++i) {
            now += throttle::moment{random() % (i % 50 == 0 ? 2'000'000'000 : 40'000'000)};
            taken.emplace_back(now, t.take(random() % (4 * t.burst()), now));
            std::uint64_t within = 0;
            for (auto from = taken.rbegin(); from != taken.rend(); ++from) {
                within += from->second;
                REQUIRE(within <= t.burst() + brings(rate, now - from->first) + 1); // both ends are rounded down to a byte
            }
        }
    }
}

TEST_CASE("workers that take at once get between them what one alone would get")
{
    throttle t{quick, start, for_ever};
    std::atomic<throttle::moment::rep> now{start.count()};
    std::atomic<std::uint64_t> all{0};
    std::vector<std::thread> workers;
    for (unsigned w = 0; w < 4; ++w)
        workers.emplace_back([&, w] {
            std::mt19937 random{w};
            for (int i = 0; i < 200'000; ++i) {
                const auto given = t.take(1 + random() % 65'536, throttle::moment{now.fetch_add(10'000)});
                const auto unsent = random() % 3 == 0 ? given / 2 : 0;
                t.give_back(unsent);
                all += given - unsent;
            }
        });
    for (auto& w : workers) w.join();
    const throttle::moment end{now.load()};
    while (const auto rest = t.take(1'000'000, end)) all += rest;
    CHECK(all <= t.burst() + brings(quick, end - start));
    CHECK(all >= brings(quick, end - start) * 99 / 100);
}

TEST_CASE("beside others that wait a taker gets its share, and whoever comes first leaves something to the rest")
{
    throttle t{slow, start, for_ever};
    for (int i = 0; i < 3; ++i) t.waits();
    CHECK(t.take(unlimited, start) == t.burst() / 4);
    for (int i = 0; i < 3; ++i) t.tries_again();
    CHECK(t.take(unlimited, start) == t.burst() * 3 / 4);
    t.waits();
    t.give_back(1);
    CHECK(t.take(unlimited, start) == 1);
}

TEST_CASE("once a throttle has ended it holds nothing, and what comes back to it is nothing to it")
{
    throttle t{slow, start, start + 1h};
    CHECK(t.take(unlimited, start + 1h - 1ns) < (2 << 20));
    CHECK_FALSE(t.ended(start + 1h - 1ns));
    CHECK(t.ended(start + 1h));
    CHECK(t.take(unlimited, start + 1h) == unlimited);
    t.give_back(unlimited);
    t.hold_until(start + 3h);
    CHECK(t.take(unlimited, start + 2h) == t.burst());
}

TEST_CASE("a client is held for an hour after the last finding and not a nanosecond longer")
{
    throttled_clients all;
    CHECK(hold(all, pod(1), 7, slow, start));
    CHECK_FALSE(hold(all, pod(1), 7, slow, start + 30min));
    REQUIRE(all.size() == 1);
    CHECK(all[0].to->until() == start + 30min + limits::throttle_time);
    CHECK(hold(all, pod(2), 7, slow, start + 90min - 1ns));
    CHECK(all.size() == 2);
    CHECK(hold(all, pod(1), 7, slow, start + 90min));
    CHECK(all.size() == 2);
    CHECK(all[0].client == pod(2));
}

TEST_CASE("clients and entries are held by themselves, and of two rates the slower one holds")
{
    throttled_clients all;
    CHECK(hold(all, pod(1), 7, quick, start));
    CHECK(hold(all, pod(1), 0, quick, start));
    CHECK(hold(all, pod(2), 7, quick, start));
    const auto before = all[0].to;
    CHECK(hold(all, pod(1), 7, slow, start));
    CHECK(all.size() == 3);
    CHECK(before != all[0].to);
    CHECK_FALSE(hold(all, pod(1), 7, quick, start));
    CHECK(all[0].to->rate() == slow);
    CHECK(slower({1 << 20, 1h}, {1 << 20, 59min}));
    CHECK_FALSE(slower({1 << 20, 1min}, {60 << 20, 1h}));
}

TEST_CASE("so many clients are held at once, and one more takes the place of the one that is free again first")
{
    throttled_clients all;
    for (std::uint32_t n = 0; n < limits::throttles; ++n) CHECK(hold(all, pod(n), 1, slow, start + n * 1ms));
    CHECK_FALSE(hold(all, pod(0), 1, slow, start + 1min));
    CHECK(all.size() == limits::throttles);
    CHECK(hold(all, pod(5'000), 1, slow, start + 1min));
    CHECK(all.size() == limits::throttles);
    CHECK(std::none_of(all.begin(), all.end(), [](const auto& t) { return t.client == pod(1); }));
    CHECK(std::any_of(all.begin(), all.end(), [](const auto& t) { return t.client == pod(0); }));
}
