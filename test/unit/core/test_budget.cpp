#include <atomic>
#include <doctest/doctest.h>
#include <exeat/budget/budget.hpp>

#include <deque>
#include <numeric>
#include <random>
#include <thread>
#include <vector>

using namespace exeat;
using namespace std::chrono_literals;

namespace {

constexpr budget_minutes start = 29'000'000min;

upload_limits hourly(std::uint64_t bytes) { return {{bytes, unlimited, unlimited}, false}; }
upload_limits pulling(std::uint64_t bytes) { return {{bytes, unlimited, unlimited}, true}; }

} // namespace

TEST_CASE("an account gives out its limit to the byte and then nothing")
{
    upload_account a{hourly(1'000), start};
    CHECK(a.take(400, start) == 400);
    CHECK(a.take(500, start) == 500);
    CHECK(a.take(500, start) == 100);
    CHECK(a.take(1, start) == 0);
    CHECK(a.spent(start));
    a.give_back(60);
    CHECK(a.take(500, start) == 60);
}

TEST_CASE("what was sent counts for at least the whole window, and not for more than a step longer")
{
    const auto freed = [](upload_limits l, budget_minutes at) {
        upload_account a{l, start};
        CHECK(a.take(10, start) == 10);
        CHECK(a.take(1, at - 1min) == 0);
        return a.take(10, at);
    };
    CHECK(freed(hourly(10), start + 61min) == 10);
    // 29'000'000 min is 20 min past an hour, and 1280 min past a day
    CHECK(freed({{unlimited, 10, unlimited}, false}, start + 25h - 20min) == 10);
    CHECK(freed({{unlimited, unlimited, 10}, false}, start + 8 * 24h - 1280min + 1440min * 0) == 10);
}

TEST_CASE("in no span of a window's length more leaves than its limit, whatever the pattern")
{
    std::mt19937 random{9};
    for (int round = 0; round < 20; ++round) {
        upload_account a{{{5'000, 40'000, 90'000}, false}, start};
        std::deque<std::pair<std::int64_t, std::uint64_t>> sent; // minute, bytes
        std::uint64_t all = 0;
        auto now = start;
        for (int i = 0; i < 4'000; ++i) {
            now += budget_minutes{random() % (round % 2 == 0 ? 3 : 40)};
            const auto got = a.take(random() % 3'000, now);
            all += got;
            if (got > 0) sent.emplace_back(now.count(), got);
            for (const auto& [length, most] : {std::pair{60, 5'000u}, {1'440, 40'000u}, {10'080, 90'000u}}) {
                std::uint64_t within = 0;
                for (auto s = sent.rbegin(); s != sent.rend() && s->first > now.count() - length; ++s) within += s->second;
                REQUIRE(within <= most);
            }
            while (!sent.empty() && sent.front().first < now.count() - 10'080) sent.pop_front();
        }
        CHECK(all >= 90'000); // it does let pass
    }
}

TEST_CASE("workers that take at once get the limit between them and not a byte more")
{
    for (int round = 0; round < 5; ++round) {
        upload_account a{hourly(3'000'000), start};
        std::atomic<std::uint64_t> all{0};
        std::vector<std::thread> workers;
        for (unsigned w = 0; w < 4; ++w)
            workers.emplace_back([&, w] {
                std::mt19937 random{w};
                std::uint64_t mine = 0;
                for (int i = 0; i < 20'000; ++i) {
                    const auto got = a.take(random() % 200, start);
                    const auto unsent = got > 0 && random() % 4 == 0 ? random() % got : 0;
                    if (unsent > 0) a.give_back(unsent);
                    mine += got - unsent;
                }
                all += mine;
            });
        for (auto& w : workers) w.join();
        CHECK(all + a.room(start) == 3'000'000);
        CHECK(a.look(start).sent[0] == all);
    }
}

TEST_CASE("workers that take while the minutes pass never exceed the limit of the hour")
{
    upload_account a{hourly(100'000), start};
    std::atomic<std::uint64_t> all{0};
    std::vector<std::thread> workers;
    for (unsigned w = 0; w < 4; ++w)
        workers.emplace_back([&, w] {
            std::mt19937 random{w};
            for (int i = 0; i < 20'000; ++i) {
                const auto now = start + budget_minutes{i / 400}; // each goes through the same fifty minutes
                all += a.take(random() % 50, now);
            }
        });
    for (auto& w : workers) w.join();
    CHECK(all <= 100'000);
    CHECK(all >= 99'000);
}

TEST_CASE("of a pull only what downloading does not cost is counted")
{
    upload_account a{pulling(1'000), start};
    CHECK(a.take(5'000, start) == 1'000);
    a.tunnel_opened();
    CHECK(a.take(50'000, start) == limits::pull_tunnel_bytes);
    a.downloaded(3'000'000);
    CHECK(a.take(50'000, start) == 3'000);
    CHECK(a.look(start).sent[0] == 1'000 + limits::pull_tunnel_bytes + 3'000);
    CHECK(a.look(start).counted[0] == 1'000);
    a.downloaded(100'000'000'000);
    CHECK(a.take(100'000'000, start) == limits::pull_download_allowance - 3'000);
}

TEST_CASE("so many tunnels bring their share of a pull, and one more brings none")
{
    upload_account a{pulling(1'000), start};
    for (std::uint64_t i = 0; i < limits::pull_tunnels[0]; ++i) a.tunnel_opened();
    const auto most = 1'000 + limits::pull_tunnels[0] * limits::pull_tunnel_bytes;
    CHECK(a.room(start) == most);
    a.tunnel_opened();
    CHECK(a.room(start) == most);
}

TEST_CASE("what came down brings its share of a pull up to an allowance, and a byte more brings none")
{
    upload_account a{pulling(1'000), start};
    a.downloaded(limits::pull_download_allowance * limits::pull_download_share);
    CHECK(a.room(start) == 1'000 + limits::pull_download_allowance);
    a.downloaded(limits::pull_download_share);
    CHECK(a.room(start) == 1'000 + limits::pull_download_allowance);
}

TEST_CASE("what is sent beyond the limit is counted, and paid back before anything is given again")
{
    upload_account a{hourly(1'000), start};
    CHECK(a.take(1'000, start) == 1'000);
    a.overdraw(500);
    CHECK(a.look(start).sent[0] == 1'500);
    CHECK(a.take(1, start) == 0);
    a.give_back(500);
    CHECK(a.take(1, start) == 0);
    CHECK(a.take(2'000, start + 61min) == 1'000);
}

TEST_CASE("a start without memory counts every window as half spent, until the window has passed")
{
    upload_account a{{{1'000, 4'000, unlimited}, false}, start, start};
    CHECK(a.take(5'000, start) == 500);
    CHECK(a.room(start + 59min) == 0);
    CHECK(a.room(start + 61min) == 1'000); // a day's half is 2'000, of which 500 are gone
    upload_account late{{{1'000, 1'200, unlimited}, false}, start + 3h, start};
    CHECK(late.take(5'000, start + 3h) == 600);
    CHECK(late.take(5'000, start + 24h) == 600);
}

TEST_CASE("a reload that changes the limits keeps what was sent")
{
    upload_account a{hourly(1'000), start};
    CHECK(a.take(800, start) == 800);
    a.hold_to(hourly(900), start);
    CHECK(a.take(800, start) == 100);
    a.hold_to(hourly(100), start);
    CHECK(a.take(800, start) == 0);
    a.hold_to(hourly(1'500), start);
    CHECK(a.take(800, start) == 600);
}

TEST_CASE("what was sent after an account was written counts from when it was sent at the latest, and a tally follows each taking")
{
    tally_record record;
    upload_account a{{{1'000, unlimited, unlimited}, false}, start, {}, &record};
    CHECK(a.take(700, start) == 700);
    a.give_back(100);
    a.overdraw(30);
    CHECK(record.taken == 630);
    upload_account next{{{1'000, unlimited, unlimited}, false}, start + 40min};
    next.read(upload_account{{}, start}.written(start), start, {record.taken, start + 20min}, start + 40min);
    CHECK(next.take(1'000, start + 40min) == 370);
    CHECK(next.take(1'000, start + 80min) == 0);
    CHECK(next.take(1'000, start + 81min) == 630);
}

TEST_CASE("an account that was written and read holds what it held, as old as it is")
{
    upload_account a{{{1'000, 1'500, 2'000}, false}, start};
    CHECK(a.take(700, start) == 700);
    CHECK(a.take(300, start + 30min) == 300);
    const auto s = a.written(start + 30min);
    upload_account soon{{{1'000, 1'500, 2'000}, false}, start + 40min}, later{{{1'000, 1'500, 2'000}, false}, start + 61min};
    soon.read(s, start + 30min, {}, start + 40min);
    CHECK(soon.take(5'000, start + 40min) == 0);
    CHECK(soon.take(5'000, start + 61min) == 500); // the day has no more
    later.read(s, start + 30min, {}, start + 61min);
    CHECK(later.look(start + 61min).sent == per_window<std::uint64_t>{300, 1'000, 1'000});
}

TEST_CASE("an account without limits gives what is wanted, whatever is given back")
{
    upload_account a{{}, start};
    for (int i = 0; i < 1'000; ++i) {
        const auto now = start + budget_minutes{i};
        CHECK(a.take(1ull << 40, now) == 1ull << 40);
        a.room(now);
        a.give_back(1ull << 39);
    }
}

TEST_CASE("what is lacking names the tightest window, what only counts as used, and when how much comes back")
{
    upload_account a{{{1'000, 1'500, unlimited}, false}, start};
    CHECK_FALSE(a.lacks(start).has_value());
    CHECK(a.take(600, start) == 600);
    CHECK(a.take(600, start + 30min) == 400);
    const auto hour = a.lacks(start + 40min);
    REQUIRE(hour.has_value());
    CHECK(hour->window == budget_window::hour);
    CHECK(hour->used == 1'000);
    CHECK(hour->most == 1'000);
    CHECK(hour->assumed == 0);
    CHECK(hour->wait == 21min); // 61 after the first 600
    CHECK(hour->back == 500);   // of the day no more are left
    CHECK(a.room(start + 40min + hour->wait - 1min) == 0);
    CHECK(a.room(start + 40min + hour->wait) == hour->back);
}

TEST_CASE("half that only counts as spent comes back when its window has passed, and a budget of nothing never does")
{
    upload_account a{{{1'000, unlimited, unlimited}, false}, start, start};
    CHECK(a.look(start).assumed[0] == 500);
    CHECK(a.take(5'000, start) == 500);
    const auto lack = a.lacks(start);
    REQUIRE(lack.has_value());
    CHECK(lack->used == 500);
    CHECK(lack->assumed == 500);
    CHECK(lack->wait == 60min);
    CHECK(lack->back == 500);
    CHECK(a.room(start + 60min) == 500);
    upload_account none{{{0, unlimited, unlimited}, false}, start};
    REQUIRE(none.lacks(start).has_value());
    CHECK(none.lacks(start)->wait == 0min);
}
