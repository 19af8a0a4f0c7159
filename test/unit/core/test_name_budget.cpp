#include <doctest/doctest.h>
#include <exeat/budget/budget_book.hpp>
#include <exeat/budget/name_budget.hpp>

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

using namespace exeat;
using namespace std::chrono_literals;

namespace {

constexpr budget_minutes began = limits::budget_epoch + 17min, window = limits::name_window, step = limits::name_step;
const auto pod = ip_address::v4(0x0a000001), other_pod = ip_address::v4(0x0a000002);
const std::uint64_t wide = budget_key::id_of("wide"), narrow = budget_key::id_of("narrow");

std::string name(std::size_t i) { return 'n' + std::to_string(i) + ".w.test"; }

// How many of so many names, from the first on, the client may use.
std::size_t take(name_budget& b, std::size_t first, std::size_t count, std::uint32_t most, budget_minutes now, const ip_address& who = pod)
{
    std::size_t taken = 0;
    for (std::size_t i = first; i < first + count; ++i) taken += b.take(who, wide, name(i), most, now);
    return taken;
}

} // namespace

TEST_CASE("a client may use so many names of an entry's wildcards and not one more, and those it has used within the window")
{
    name_budget budget{1, began, false};
    CHECK(take(budget, 0, 5, 5, began) == 5);
    CHECK_FALSE(budget.take(pod, wide, name(5), 5, began));
    CHECK(take(budget, 0, 5, 5, began + window - 1min) == 5);
    CHECK_FALSE(budget.take(pod, wide, name(6), 5, began + window - 1min));
}

TEST_CASE("clients and entries have budgets of their own")
{
    name_budget budget{1, began, false};
    CHECK(budget.take(pod, wide, name(0), 1, began));
    CHECK(budget.take(other_pod, wide, name(0), 1, began));
    CHECK(budget.take(pod, narrow, name(0), 1, began));
    CHECK_FALSE(budget.take(pod, wide, name(1), 1, began));
    CHECK_FALSE(budget.take(other_pod, wide, name(1), 1, began));
    CHECK_FALSE(budget.take(pod, narrow, name(1), 1, began));
}

// Fault 12: a hundred just before the edge of a fixed window and a hundred just after it were two hundred within a second.
TEST_CASE("no moment lets a client use more new names within a window than the entry allows")
{
    for (auto first = began; first < began + window + step; first += 13min) {
        name_budget budget{1, began, false};
        CHECK(take(budget, 0, 100, 100, first) == 100);
        for (auto at = first; at < first + window; at += 7min) CHECK_FALSE(budget.take(pod, wide, name(100), 100, at));
        CHECK(take(budget, 100, 100, 100, first + window - 1min) == 0);
        CHECK(take(budget, 100, 200, 100, first + window + step) == 100);
    }
}

TEST_CASE("the window slides: what was taken bit by bit comes back bit by bit")
{
    name_budget budget{1, began, false};
    for (std::size_t hour = 0; hour < 10; ++hour) CHECK(take(budget, 10 * hour, 10, 100, began + hour * 1h) == 10);
    for (std::size_t hour = 0; hour < 10; ++hour) {
        const auto before = began + window + hour * 1h - 1min, after = before + step + 1min;
        CHECK(take(budget, 1'000 + 10 * hour, 10, 100, before) == 0);
        CHECK(take(budget, 1'000 + 10 * hour, 11, 100, after) == 10);
    }
}

TEST_CASE("a name stays known while it is used, and costs again when it was not used for a window")
{
    name_budget budget{1, began, false};
    auto last = began;
    for (auto at = began; at < began + 10 * window; at += 20h) CHECK(budget.take(pod, wide, name(0), 1, last = at));
    CHECK(budget.take(pod, wide, name(1), 1, last + step)); // what the first one cost was forgotten long ago
    CHECK_FALSE(budget.take(pod, wide, name(2), 1, last + step));
    CHECK_FALSE(budget.take(pod, wide, name(0), 1, last + window + step)); // unused for a window, so it is new
    CHECK(budget.take(pod, wide, name(1), 1, last + window + step));
}

TEST_CASE("a worker whose clock is a moment behind counts in the newest step")
{
    name_budget budget{1, began, false};
    const auto edge = began + step;
    CHECK(budget.take(pod, wide, name(0), 2, edge));
    CHECK(budget.take(pod, wide, name(0), 2, began)); // known
    CHECK(budget.take(pod, wide, name(1), 2, began));
    CHECK_FALSE(budget.take(pod, wide, name(2), 2, began));
    CHECK_FALSE(budget.take(pod, wide, name(2), 2, edge + window - 18min));
}

TEST_CASE("a budget that a reload made smaller keeps what was used and adds nothing")
{
    name_budget budget{1, began, false};
    CHECK(take(budget, 0, 5, 5, began) == 5);
    CHECK(budget.take(pod, wide, name(4), 2, began));
    CHECK_FALSE(budget.take(pod, wide, name(9), 2, began));
    CHECK(budget.take(pod, wide, name(9), 6, began));
}

TEST_CASE("the largest budget is held to exactly")
{
    name_budget budget{3, began, false};
    CHECK(take(budget, 0, limits::wildcard_names_ceiling + 10, limits::wildcard_names_ceiling, began) == limits::wildcard_names_ceiling);
}

TEST_CASE("a process that does not know what was before it gives half, one at least, until a window has passed")
{
    name_budget budget{1, began, true};
    CHECK(take(budget, 0, 20, 10, began) == 5);
    CHECK(take(budget, 0, 20, 1, began, other_pod) == 1);
    CHECK(take(budget, 20, 20, 10, began + window - 1min) == 0);
    CHECK(take(budget, 20, 20, 10, began + window + step) == 10);
}

TEST_CASE("over a restart names stay known, counts stay counted, and the window slides on by the time that passed")
{
    // The new process's clock begins where it likes; what matters is how long ago the snapshot was written.
    for (const auto here : {began, budget_minutes{30'000'011}}) {
        name_budget before{1, began, false};
        CHECK(take(before, 0, 6, 10, began) == 6);
        CHECK(take(before, 6, 4, 10, began + 5h) == 4);
        name_budget after{before.written(began + 6h), 2h, here, false};
        CHECK(take(after, 0, 10, 10, here) == 10);  // known
        CHECK(take(after, 100, 20, 10, here) == 0); // all spent
        CHECK(take(after, 0, 10, 0, here + 15h) == 10);
        CHECK(take(after, 100, 20, 10, here + 16h - 1min) == 0); // 24 hours after the first, but for a minute
        CHECK(take(after, 100, 20, 10, here + 16h + step) == 6);
        CHECK(take(after, 200, 20, 10, here + 21h + step) == 4);
    }
}

TEST_CASE("many restarts neither hold the window up nor shorten it")
{
    auto budget = std::make_unique<name_budget>(1, began, false);
    CHECK(take(*budget, 0, 10, 10, began) == 10);
    auto now = began;
    for (auto passed = 0min; passed < window; passed += 24min) {
        CHECK(take(*budget, 100, 1, 10, now) == 0);
        budget = std::make_unique<name_budget>(budget->written(now + 20min), 4min, began + 3min, false);
        now = began + 3min;
    }
    CHECK(take(*budget, 100, 1, 10, now) == 0); // in the last step, which counts
    CHECK(take(*budget, 100, 11, 10, now + step) == 10);
}

TEST_CASE("what a process did not know, the one after it does not know either")
{
    name_budget first{1, began, true};
    name_budget second{first.written(began + 10h), 0min, began, false};
    CHECK(take(second, 0, 20, 10, began) == 5);
    CHECK(take(second, 20, 20, 10, began + 14h - 1min) == 0);
    CHECK(take(second, 20, 20, 10, began + 14h + step) == 5);
    name_budget crashed{second.written(began + 14h + step), 0min, began, true};
    CHECK(take(crashed, 50, 20, 30, began) == 5); // of fifteen, ten that it knows of are used
}

TEST_CASE("a snapshot older than any window, or from a clock that went far ahead, leaves nothing")
{
    name_budget before{1, began, false};
    CHECK(take(before, 0, 10, 10, began) == 10);
    name_budget after{before.written(began), std::chrono::minutes{limits::snapshot_minutes}, began, false};
    CHECK(take(after, 100, 20, 10, began) == 10);
    CHECK(after.written(began).names.size() == 10);
    CHECK(after.written(began).accounts.size() == 1);
}

TEST_CASE("names behind those that a snapshot left out are found")
{
    constexpr auto most = limits::wildcard_names_ceiling;
    constexpr std::size_t old = 2 * most, fresh = 12 * most; // ten thousand under each entry
    name_budget before{1, began, false};
    for (std::size_t i = 0; i < old; ++i) CHECK(before.take(pod, i / most, name(i), most, began)); // these will have passed
    for (std::size_t i = 0; i < fresh; ++i) CHECK(before.take(other_pod, i / most, name(i), most, began + window));
    const auto written = before.written(began + window + step);
    CHECK(written.names.size() == fresh);
    name_budget after{written, 0min, began, false};
    for (std::size_t i = 0; i < fresh; ++i) CHECK(after.take(other_pod, i / most, name(i), 0, began));
}

TEST_CASE("when no more can be remembered a name counts each time it is used, and no client pays for another")
{
    name_budget budget{1, began, false};
    const auto crowd = static_cast<std::uint32_t>(limits::name_budget_names / 100 + 1'000);
    for (std::uint32_t client = 0; client < crowd; ++client) REQUIRE(take(budget, 0, 100, 100, began, ip_address::v4(client)) == 100);
    CHECK(take(budget, 0, 100, 100, began, ip_address::v4(0)) == 100); // those that were remembered stay free
    const auto newcomer = ip_address::v4(crowd);
    std::size_t uses = 0;
    while (uses < 200 && budget.take(newcomer, wide, name(0), 100, began)) ++uses;
    CHECK(uses == 100);
    CHECK(budget.take(newcomer, wide, name(0), 100, began + window + step)); // a window later there is room again
}

TEST_CASE("clients beyond those that can be counted are denied, the others go on")
{
    name_budget budget{1, began, false};
    std::uint32_t client = 0;
    while (client < 2 * limits::name_budget_counts && budget.take(ip_address::v4(client), wide, "a.w.test", 2, began)) ++client;
    CHECK(client > limits::name_budget_counts / 2);
    CHECK(client <= limits::name_budget_counts);
    CHECK_FALSE(budget.take(ip_address::v4(client), wide, "a.w.test", 2, began));
    CHECK(budget.take(ip_address::v4(0), wide, "b.w.test", 2, began));
    CHECK(budget.take(ip_address::v4(client), wide, "a.w.test", 2, began + window + step));
}

TEST_CASE("workers that ask at once give out no name too many, and all of them what one was given")
{
    name_budget budget{5, began, false};
    std::atomic<std::size_t> distinct{0};
    std::vector<std::thread> workers;
    for (std::size_t w = 0; w < 4; ++w)
        workers.emplace_back([&, w] { distinct += take(budget, w * 2'000, 2'000, 1'000, began + (w % 2) * step); });
    for (auto& w : workers) w.join();
    CHECK(distinct == 1'000);

    std::atomic<std::size_t> allowed{0};
    workers.clear();
    for (std::size_t w = 0; w < 4; ++w) workers.emplace_back([&] { allowed += take(budget, 0, 500, 500, began, other_pod); });
    workers.emplace_back([&] {
        for (int i = 0; i < 5; ++i) CHECK(budget.written(began).accounts.size() <= 2);
    });
    for (auto& w : workers) w.join();
    CHECK(allowed == 4 * 500);
    CHECK(take(budget, 500, 1, 500, began, other_pod) == 0);
}

TEST_CASE("an entry that inherits has used at least as many names, and those that were used before cost nothing")
{
    name_budget budget{1, began, false};
    CHECK(take(budget, 0, 6, 10, began) == 6);
    CHECK(budget.take(pod, narrow, name(100), 10, began + 1h));
    budget.pass_on({{wide, narrow}}, 2, began + 2h);
    for (std::size_t i = 0; i < 6; ++i) CHECK(budget.take(pod, narrow, name(i), 10, began + 2h, 2));
    std::size_t more = 0;
    for (std::size_t i = 200; i < 220; ++i) more += budget.take(pod, narrow, name(i), 10, began + 2h, 2);
    CHECK(more == 3); // six at the beginning and one an hour later: at least so much in each step
    CHECK(budget.take(other_pod, narrow, name(300), 1, began + 2h, 2));
    CHECK(take(budget, 300, 20, 10, began + 2h) == 4); // the other entry has what it had
}

TEST_CASE("names of an entry that inherits from one that inherited are known, too")
{
    name_budget budget{1, began, false};
    const auto third = budget_key::id_of("third");
    CHECK(take(budget, 0, 5, 5, began) == 5);
    budget.pass_on({{wide, narrow}}, 2, began);
    budget.pass_on({{narrow, third}}, 3, began);
    CHECK(budget.take(pod, third, name(4), 5, began, 3));
    CHECK_FALSE(budget.take(pod, third, name(5), 5, began, 3));
}

TEST_CASE("a worker that judges by the list before takes from the heirs as well")
{
    name_budget budget{1, began, false};
    CHECK(budget.take(pod, wide, name(0), 3, began, 1));
    budget.pass_on({{wide, narrow}}, 2, began);
    CHECK(budget.take(pod, wide, name(1), 3, began, 1));
    CHECK(budget.take(pod, narrow, name(2), 3, began, 2));
    CHECK_FALSE(budget.take(pod, wide, name(3), 3, began, 1)); // the heir has no more, though this one has
    CHECK_FALSE(budget.take(pod, wide, name(3), 3, began, 1)); // nor is it known now
    CHECK_FALSE(budget.take(pod, narrow, name(4), 3, began, 2));
}

TEST_CASE("an entry inherits the names of so many others, and those of more cost again")
{
    name_budget budget{1, began, false};
    heirs_of<std::uint64_t>::set all{{}, {1'000}};
    for (std::uint64_t n = 1; n <= name_budget::ancestors + 1; ++n) {
        CHECK(budget.take(pod, n, name(n), 1, began));
        all.from.push_back(n);
    }
    budget.pass_on({{all}, nullptr}, 2, began);
    std::size_t known = 0;
    for (std::uint64_t n = 1; n <= name_budget::ancestors + 1; ++n) known += budget.take(pod, 1'000, name(n), 1, began, 2);
    CHECK(known == name_budget::ancestors);
}
