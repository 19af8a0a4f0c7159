#include <doctest/doctest.h>
#include <exeat/name_budget.hpp>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

using namespace exeat;
using namespace std::chrono_literals;

namespace {

constexpr std::chrono::seconds began = 1'000'000s, day = limits::name_window;
const auto pod = ip_address::v4(0x0a000001), other_pod = ip_address::v4(0x0a000002);

std::string name(std::size_t i) { return 'n' + std::to_string(i) + ".w.test"; }

} // namespace

TEST_CASE("a client may use so many names of an entry's wildcards and not one more, and those it has used for ever")
{
    name_budget budget{1, began};
    for (std::size_t i = 0; i < 5; ++i) CHECK(budget.take(pod, 7, name(i), 5, began));
    CHECK_FALSE(budget.take(pod, 7, name(5), 5, began));
    for (std::size_t i = 0; i < 5; ++i) CHECK(budget.take(pod, 7, name(i), 5, began + day - 1s));
    CHECK_FALSE(budget.take(pod, 7, name(6), 5, began + day - 1s));
}

TEST_CASE("clients and entries have budgets of their own")
{
    name_budget budget{1, began};
    CHECK(budget.take(pod, 7, name(0), 1, began));
    CHECK(budget.take(other_pod, 7, name(0), 1, began));
    CHECK(budget.take(pod, 8, name(0), 1, began));
    CHECK_FALSE(budget.take(pod, 7, name(1), 1, began));
    CHECK_FALSE(budget.take(other_pod, 7, name(1), 1, began));
    CHECK_FALSE(budget.take(pod, 8, name(1), 1, began));
}

TEST_CASE("a new window begins with nothing used")
{
    name_budget budget{1, began};
    CHECK(budget.take(pod, 7, name(0), 1, began));
    CHECK_FALSE(budget.take(pod, 7, name(1), 1, began + day - 1s));
    CHECK(budget.take(pod, 7, name(1), 1, began + day));
    CHECK_FALSE(budget.take(pod, 7, name(0), 1, began + day));
}

TEST_CASE("a worker whose clock is a moment behind takes nothing from the new window")
{
    name_budget budget{1, began};
    CHECK(budget.take(pod, 7, name(0), 1, began + day));
    CHECK(budget.take(pod, 7, name(1), 1, began + day - 1s)); // counted where it belongs
    CHECK_FALSE(budget.take(pod, 7, name(1), 1, began + day));
    CHECK(budget.take(pod, 7, name(0), 1, began + day));
}

TEST_CASE("a budget that a reload made smaller keeps what was used and adds nothing")
{
    name_budget budget{1, began};
    for (std::size_t i = 0; i < 5; ++i) CHECK(budget.take(pod, 7, name(i), 5, began));
    CHECK(budget.take(pod, 7, name(4), 2, began));
    CHECK_FALSE(budget.take(pod, 7, name(9), 2, began));
    CHECK(budget.take(pod, 7, name(9), 6, began));
}

TEST_CASE("the largest budget is held to exactly")
{
    name_budget budget{3, began};
    std::size_t taken = 0;
    for (std::size_t i = 0; i < limits::wildcard_names_ceiling + 10; ++i)
        taken += budget.take(pod, 1, name(i), limits::wildcard_names_ceiling, began);
    CHECK(taken == limits::wildcard_names_ceiling);
}

TEST_CASE("when no more can be remembered new names are denied, remembered ones are not")
{
    name_budget budget{1, began};
    std::size_t taken = 0, client = 0;
    bool full = false;
    for (; !full && client < limits::name_budget_names; ++client)
        for (std::size_t i = 0; i < 100 && !full; ++i) {
            const auto from = ip_address::v4(static_cast<std::uint32_t>(client));
            if (budget.take(from, 1, name(i), 100, began)) ++taken;
            else full = true;
        }
    REQUIRE(full);
    CHECK(taken <= limits::name_budget_names);
    CHECK(taken > limits::name_budget_names / 2);
    for (std::size_t i = 0; i < 100; ++i) CHECK(budget.take(ip_address::v4(0), 1, name(i), 100, began));
    CHECK(budget.take(ip_address::v4(0), 1, name(200), 200, began + day)); // the next window has room again
}

TEST_CASE("clients beyond those that can be counted are denied, the others go on")
{
    name_budget budget{1, began};
    std::uint32_t client = 0;
    while (client < 2 * limits::name_budget_counts && budget.take(ip_address::v4(client), 1, "a.w.test", 2, began)) ++client;
    CHECK(client > limits::name_budget_counts / 2);
    CHECK(client <= limits::name_budget_counts);
    CHECK_FALSE(budget.take(ip_address::v4(client), 1, "a.w.test", 2, began));
    CHECK(budget.take(ip_address::v4(0), 1, "b.w.test", 2, began));
}

TEST_CASE("workers that ask at once give out no name too many, and all of them what one was given")
{
    name_budget budget{5, began};
    std::atomic<std::size_t> distinct{0};
    std::vector<std::thread> workers;
    for (std::size_t w = 0; w < 4; ++w)
        workers.emplace_back([&, w] {
            for (std::size_t i = 0; i < 2'000; ++i) distinct += budget.take(pod, 1, name(w * 2'000 + i), 1'000, began);
        });
    for (auto& w : workers) w.join();
    CHECK(distinct == 1'000);

    std::atomic<std::size_t> refused{0};
    workers.clear();
    for (std::size_t w = 0; w < 4; ++w)
        workers.emplace_back([&] {
            for (std::size_t i = 0; i < 500; ++i) refused += !budget.take(other_pod, 1, name(i), 500 + 4, began);
        });
    for (auto& w : workers) w.join();
    CHECK(refused == 0);
}
