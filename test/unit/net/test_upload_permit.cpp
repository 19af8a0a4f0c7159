#include <doctest/doctest.h>
#include <exeat/budget/accounts.hpp>
#include <net/upload/upload_permit.hpp>

#include <atomic>
#include <thread>
#include <vector>

using namespace exeat;
using namespace exeat::net;
using namespace std::chrono_literals;

namespace {

constexpr budget_minutes start = 29'000'000min;
const auto a_pod = ip_address::v4(1);

rule named(std::string name, std::uint64_t limit)
{
    rule r;
    r.id = budget_key::id_of(name);
    r.name = std::move(name);
    r.upload = upload_limits{{limit, unlimited, unlimited}, false};
    return r;
}

heir<account_id> to(const rule& from, const rule& heir) { return {client_account(from, {}), client_account(heir, {})}; }

upload_permit permit(budget_book& book, const rule& by, std::uint64_t generation) { return {book, {a_pod}, by, {}, start, generation}; }

const auto a = named("a", 100), b = named("b", 100), c = named("c", 100);

} // namespace

TEST_CASE("a permit of the list before takes from the heirs as well, and gives no more than they have")
{
    budget_book book{1, start, {}};
    auto old = permit(book, a, 1);
    CHECK(old.take(30, start) == 30);
    book.pass_on({to(a, b)}, 2, start);
    CHECK(old.take(20, start) == 20);
    auto of_b = permit(book, b, 2);
    CHECK(of_b.take(1'000, start) == 50);
    CHECK(old.take(1'000, start) == 0);
    CHECK(permit(book, a, 2).take(1'000, start) == 50); // what the heir did not give was given back
}

TEST_CASE("a permit that is made by the list before, after its accounts were passed on, takes from the heirs")
{
    budget_book book{1, start, {}};
    book.pass_on({to(a, b)}, 2, start);
    auto late = permit(book, a, 1);
    CHECK(late.take(60, start) == 60);
    CHECK(permit(book, b, 2).take(1'000, start) == 40);
}

TEST_CASE("a permit follows its accounts through several lists, and back, and takes from each once")
{
    budget_book book{1, start, {}};
    auto old = permit(book, a, 1);
    CHECK(old.take(10, start) == 10);
    book.pass_on({to(a, b), to(a, c)}, 2, start);
    CHECK(old.take(10, start) == 10);
    book.pass_on({to(b, a), to(c, a), to(c, b)}, 3, start);
    CHECK(old.take(10, start) == 10);
    for (const auto& r : {a, b, c}) CHECK(permit(book, r, 3).take(1'000, start) == 70);
}

TEST_CASE("what a permit gives back that it took before a list changed is lost to the heir, never given twice")
{
    budget_book book{1, start, {}};
    auto old = permit(book, a, 1);
    CHECK(old.take(30, start) == 30);
    book.pass_on({to(a, b)}, 2, start);
    old.give_back(30);
    CHECK(permit(book, b, 2).take(1'000, start) == 70);
    CHECK(permit(book, a, 2).take(1'000, start) == 100);
}

TEST_CASE("a permit of a list without heirs, or of the newest one, takes from its own accounts")
{
    budget_book book{1, start, {}};
    book.pass_on({to(a, b)}, 2, start);
    auto now = permit(book, a, 2);
    CHECK(now.take(40, start) == 40);
    CHECK(permit(book, b, 2).take(1'000, start) == 100);
}

TEST_CASE("workers with the list before and with the next one never give more than one budget between them")
{
    for (int round = 0; round < 50; ++round) {
        constexpr std::uint64_t most = 200'000;
        const auto before = named("before", most), after = named("after", most);
        budget_book book{1, start, {}};
        std::atomic<std::uint64_t> sent{0};
        std::atomic<bool> passed_on{false}, go{false};
        std::vector<std::thread> workers;
        for (int w = 0; w < 3; ++w)
            workers.emplace_back([&, w] {
                auto held = permit(book, before, 1);
                while (!go) {}
                for (bool newer = false;;) {
                    if (!newer && w != 0 && passed_on) held = permit(book, after, 2), newer = true; // the first one never hears of it
                    const auto got = held.take(7, start);
                    sent += got;
                    if (got == 0) break;
                }
            });
        go = true;
        while (sent < most / 4) {}
        book.pass_on({to(before, after)}, 2, start);
        passed_on = true;
        for (auto& t : workers) t.join();
        CHECK(sent <= most);
        CHECK(sent > most / 2); // what is taken while all is copied may count twice
    }
}
