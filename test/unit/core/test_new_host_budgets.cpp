#include <exeat/budget/new_host_budgets.hpp>
#include <exeat/limits.hpp>

#include <atomic>
#include <doctest/doctest.h>
#include <string>
#include <thread>
#include <vector>

using namespace exeat;
using namespace std::chrono_literals;

namespace {

constexpr budget_minutes start = 29'000'000min;

ip_address pod(std::uint32_t n) { return ip_address::v4(0x0a000000 + n); }

} // namespace

TEST_CASE("a client at a new host has so many bytes an hour, until the host is new no longer")
{
    new_host_budgets all{7, 1'000};
    CHECK(all.find(pod(1), "a.test", start) == nullptr);
    CHECK(all.hold(pod(1), "a.test", 300, start, start + 24h));
    CHECK_FALSE(all.hold(pod(1), "a.test", 0, start + 1min, start + 48h));
    const auto b = all.find(pod(1), "a.test", start);
    REQUIRE(b);
    CHECK(b->take(400, start) == 400);
    b->overdraw(100);
    CHECK(b->take(500, start) == 200);
    CHECK(b->spent(start));
    b->give_back(50);
    CHECK(b->take(500, start) == 50);
    CHECK(b->take(1, start + 60min) == 0);
    CHECK(b->take(5'000, start + 61min) == 1'000);
    CHECK(b->take(1, start + 24h - 1min) == 1);
    CHECK(b->take(5'000, start + 24h) == 5'000);
    CHECK_FALSE(b->spent(start + 24h));
    CHECK(all.find(pod(1), "a.test", start + 24h) == nullptr);
    CHECK_MESSAGE(all.hold(pod(1), "a.test", 0, start + 24h, start + 48h), "it was away for a fortnight, perhaps");
    CHECK(all.find(pod(1), "a.test", start + 24h) != b);
}

TEST_CASE("clients and hosts are held each by themselves")
{
    new_host_budgets all{7, 1'000};
    all.hold(pod(1), "a.test", 1'000, start, start + 24h);
    CHECK(all.find(pod(1), "a.test", start)->spent(start));
    CHECK(all.find(pod(1), "b.test", start) == nullptr);
    CHECK(all.find(pod(2), "a.test", start) == nullptr);
    CHECK(all.hold(pod(2), "a.test", 0, start, start + 24h));
    CHECK(all.find(pod(2), "a.test", start)->take(2'000, start) == 1'000);
}

TEST_CASE("so many clients at new hosts are held, and one more takes the place of the one that was asked for longest ago")
{
    new_host_budgets all{7, 1'000};
    for (std::uint32_t n = 0; n < limits::new_hosts; ++n) all.hold(pod(n), "a.test", 0, start, start + 24h);
    const auto first = all.find(pod(0), "a.test", start);
    REQUIRE(first);
    all.hold(pod(9'999), "a.test", 0, start, start + 24h);
    CHECK(all.find(pod(1), "a.test", start) == nullptr);
    CHECK(all.find(pod(0), "a.test", start) == first);
    CHECK(all.find(pod(2), "a.test", start) != nullptr);
    CHECK(first->take(2'000, start) == 1'000);
}

TEST_CASE("workers that find the budget while it is made all hold the same one")
{
    new_host_budgets all{7, 1'000'000};
    std::atomic<std::uint64_t> sent{0};
    std::vector<std::thread> workers;
    for (unsigned w = 0; w < 4; ++w)
        workers.emplace_back([&] {
            for (int i = 0; i < 20'000; ++i) {
                all.hold(pod(1), "a.test", 0, start, start + 24h);
                sent += all.find(pod(1), "a.test", start)->take(100, start);
            }
        });
    for (auto& w : workers) w.join();
    CHECK(sent == 1'000'000);
}
