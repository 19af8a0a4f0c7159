#include <cstring>
#include <doctest/doctest.h>
#include <exeat/budget/budget_book.hpp>
#include <exeat/identity/workload_key.hpp>
#include <exeat/rule.hpp>

#include <algorithm>
#include <set>
#include <vector>

using namespace exeat;
using namespace std::chrono_literals;

namespace {

constexpr budget_minutes start = 29'000'000min;
using scope = budget_key::scope;

budget_key of(std::uint32_t client, std::uint64_t what = 0) { return {scope::client_at_purpose, ip_address::v4(client), what}; }
upload_limits hourly(std::uint64_t bytes) { return {{bytes, unlimited, unlimited}, false}; }

} // namespace

TEST_CASE("one key has one account, whoever opens it, and keys that differ in anything have their own")
{
    budget_book book{1, start, {}};
    auto a = book.open(of(1), hourly(100), start), b = book.open(of(1), hourly(100), start);
    CHECK(a->take(80, start) == 80);
    CHECK(b->take(80, start) == 20);
    CHECK(book.open(of(2), hourly(100), start)->take(80, start) == 80);
    CHECK(book.open(of(1, 3), hourly(100), start)->take(80, start) == 80);
    CHECK(book.open({scope::client_at_entry, ip_address::v4(1), 0}, hourly(100), start)->take(80, start) == 80);
    CHECK(book.open({scope::entry, {}, 0}, hourly(100), start)->take(80, start) == 80);
    CHECK(book.size() == 5);
}

TEST_CASE("an account outlives its tunnels, and a reload's limits reach it")
{
    budget_book book{1, start, {}};
    CHECK(book.open(of(1), hourly(100), start)->take(70, start) == 70);
    CHECK(book.open(of(1), hourly(90), start)->take(70, start) == 20);
}

TEST_CASE("a full book lets those go that used least, and none that is open or spent")
{
    budget_book book{1, start, {}};
    auto open = book.open(of(1), hourly(100), start);
    CHECK(open->take(40, start) == 40);
    CHECK(book.open(of(2), hourly(100), start)->take(100, start) == 100); // spent
    CHECK(book.open(of(3), hourly(100), start)->take(40, start) == 40);   // more than all that come
    for (std::uint32_t i = 10; i < 10 + 2 * limits::budget_accounts; ++i) book.open(of(i), hourly(100), start + 1min);
    CHECK(book.size() <= limits::budget_accounts);
    CHECK(book.evicted() > 0);
    CHECK(book.crowded() == 0);
    CHECK(open->take(100, start + 1min) == 60);
    CHECK(book.open(of(1), hourly(100), start + 1min)->take(100, start + 1min) == 0);
    CHECK(book.open(of(2), hourly(100), start + 1min)->take(100, start + 1min) == 0);
    CHECK(book.open(of(3), hourly(100), start + 1min)->take(100, start + 1min) == 60);
}

TEST_CASE("accounts of service accounts that were hardly used do not fill the book, and pods do not drive out one that was")
{
    budget_book book{1, start, {}};
    const auto account_of = [](workload_kind kind, std::uint32_t n) {
        workload_digest d{};
        std::memcpy(d.data(), &n, sizeof n);
        return budget_key{budget_key::scope::client_at_entry, workload_key(kind, d), 6};
    };
    const auto all = static_cast<std::uint32_t>(limits::budget_accounts);
    CHECK(book.open(account_of(workload_kind::identity, 1), hourly(100), start)->take(20, start) == 20);
    for (std::uint32_t n = 0; n < all; ++n) book.open(account_of(workload_kind::instance, n), hourly(100), start)->take(60, start);
    CHECK(book.open(account_of(workload_kind::identity, 1), hourly(100), start)->take(100, start) == 80);
    for (std::uint32_t n = 2; n < 2 * all; ++n) book.open(account_of(workload_kind::identity, n), hourly(100), start)->take(1, start);
    CHECK(book.crowded() == 0);
    CHECK(book.open(account_of(workload_kind::identity, 1), hourly(100), start)->take(100, start) == 0);
}

TEST_CASE("of accounts that nobody used those go that have been idle longest")
{
    budget_book book{1, start, {}};
    const auto all = static_cast<std::uint32_t>(limits::budget_accounts);
    for (std::uint32_t i = 0; i < all; ++i) book.open(of(i), hourly(100), start + (i < all / 2 ? 1min : 2min));
    for (std::uint32_t i = all; i < all + all / 8; ++i) book.open(of(i), hourly(100), start + 3min);
    std::size_t early = 0, late = 0;
    book.each([&](const budget_key& k, upload_account&) {
        const auto n = k.client.as_v4();
        early += n < all / 2;
        late += n >= all / 2 && n < all;
    });
    CHECK(book.evicted() > 0);
    CHECK(late > early + all / 16);
}

TEST_CASE("what was restored or inherited and that nobody has opened yet is not what a full book lets go")
{
    budget_book book{1, start, {}};
    upload_account::snapshot spent;
    spent.sent[sliding_sums::steps - 1] = 100;
    book.restore(of(1), spent, start, {}, start);
    const budget_key heir{budget_key::scope::client_at_entry, ip_address::v4(2), 7};
    const budget_key from{budget_key::scope::client_at_entry, ip_address::v4(2), 6};
    CHECK(book.open(from, hourly(100), start)->take(100, start) == 100);
    book.pass_on({{{budget_key::scope::client_at_entry, 6}, {budget_key::scope::client_at_entry, 7}}}, 2, start);
    for (std::uint32_t i = 10; i < 10 + 2 * limits::budget_accounts; ++i) book.open(of(i), hourly(100), start + 1min);
    CHECK(book.evicted() > 0);
    CHECK(book.open(heir, hourly(100), start + 1min)->take(100, start + 1min) == 0);
    CHECK(book.open(of(1), {{unlimited, unlimited, 100}, false}, start + 1min)->take(100, start + 1min) == 0);
}

TEST_CASE("one list that makes more heirs than there is room for gives nobody a new budget")
{
    constexpr std::uint32_t clients = 80, entries = 1'000, mebibyte = 1 << 20;
    static_assert(clients * entries > limits::budget_accounts);
    budget_book book{1, start, {}};
    const auto at = [](std::uint32_t client, std::uint64_t entry) {
        return budget_key{budget_key::scope::client_at_entry, ip_address::v4(client), entry};
    };
    for (std::uint32_t c = 1; c <= clients; ++c) CHECK(book.open(at(c, 1), hourly(mebibyte), start)->take(mebibyte, start) == mebibyte);
    heirs_of<account_id>::set all{{{budget_key::scope::client_at_entry, 1}}, {}};
    for (std::uint64_t e = 2; e < 2 + entries; ++e) all.to.push_back({budget_key::scope::client_at_entry, e});
    book.pass_on({{all}, nullptr}, 2, start);
    std::uint64_t left = 0;
    for (std::uint32_t c = 1; c <= clients; ++c)
        for (std::uint64_t e = 1; e < 2 + entries; ++e) left += book.open(at(c, e), hourly(mebibyte), start)->take(mebibyte, start);
    CHECK(left <= limits::crowded_budget); // that all share who find no room
}

TEST_CASE("keys that find no room share one tight account")
{
    budget_book book{1, start, {}};
    std::vector<budget_book::handle> open;
    std::uint32_t client = 0;
    while (book.crowded() == 0) open.push_back(book.open(of(client++), hourly(100), start));
    CHECK(open.size() > limits::budget_accounts / 2);
    CHECK(open.size() <= limits::budget_accounts + 1);
    CHECK(open.back()->take(limits::crowded_budget * 2, start) == limits::crowded_budget);
    std::size_t shared = 0;
    for (std::uint32_t i = 0; i < 5'000; ++i) shared += book.open(of(client++), hourly(100), start)->take(1, start) == 0;
    CHECK(shared > 0);
}

TEST_CASE("what was restored is held to the limits that the next tunnel brings")
{
    budget_book before{1, start, {}}, after{2, start + 5min, start + 5min};
    CHECK(before.open(of(1), hourly(100), start)->take(30, start) == 30);
    std::size_t seen = 0;
    before.each([&](const budget_key& key, upload_account& a) {
        ++seen;
        after.restore(key, a.written(start), start, {}, start + 5min);
    });
    CHECK(seen == 1);
    CHECK(after.open(of(1), hourly(100), start + 5min)->take(100, start + 5min) == 20); // half of 100 less 30
}

TEST_CASE("each account of a book has a record of the tally, and gives it back with its end")
{
    std::vector<tally_record> records(limits::budget_accounts);
    upload_tally tally{records};
    {
        budget_book book{1, start, {}, &tally};
        for (std::uint32_t i = 0; i < limits::budget_accounts + limits::budget_accounts / 8; ++i)
            CHECK(book.open(of(i, 3), hourly(100), start)->take(i % 50, start) == i % 50);
        std::set<std::uint32_t> numbers;
        std::size_t known = 0;
        for (const auto& r : records)
            if (r.scope != 0) {
                CHECK((r.scope == 2 && r.what == 3));
                CHECK(r.taken == ip_address{r.client}.as_v4() % 50);
                numbers.insert(r.account), ++known;
            }
        CHECK(known == book.size());
        CHECK(numbers.size() == known);
    }
    CHECK(std::all_of(records.begin(), records.end(), [](const auto& r) { return r.scope == 0 && r.taken == 0; }));
}

TEST_CASE("an entry's id is the same in every process")
{
    CHECK(budget_key::id_of("") == 0xcbf29ce484222325);
    CHECK(budget_key::id_of("a") == 0xaf63dc4c8601ec8c); // of the published test vectors
    CHECK(budget_key::id_of("foobar") == 0x85944171f73967e8);
}

namespace {

constexpr account_id entry_a{scope::client_at_entry, 11}, entry_b{scope::client_at_entry, 12}, entry_c{scope::client_at_entry, 13};
constexpr account_id pulls{scope::client_at_purpose, 0};

budget_key at(const account_id& a, std::uint32_t client) { return {a.of, ip_address::v4(client), a.what}; }

std::uint64_t left(budget_book& book, const account_id& a, std::uint32_t client, std::uint64_t limit = 100)
{
    return book.open(at(a, client), hourly(limit), start)->room(start);
}

} // namespace

TEST_CASE("an heir has at least what was taken from each that it inherits from, client by client, and they keep what they have")
{
    budget_book book{1, start, {}};
    book.open(at(entry_a, 1), hourly(100), start)->take(70, start);
    book.open(at(entry_b, 1), hourly(100), start)->take(40, start);
    book.open(at(entry_b, 2), hourly(100), start)->take(90, start);
    book.open(at(entry_c, 2), hourly(100), start)->take(10, start);
    book.open(at(entry_c, 3), hourly(100), start)->take(20, start);
    book.pass_on({{entry_a, entry_c}, {entry_b, entry_c}}, 2, start);
    CHECK(book.generation() == 2);
    CHECK(left(book, entry_c, 1) == 30);
    CHECK(left(book, entry_c, 2) == 10);
    CHECK(left(book, entry_c, 3) == 80);
    CHECK(left(book, entry_a, 1) == 30);
    CHECK(left(book, entry_b, 1) == 60);
    CHECK(left(book, entry_a, 3) == 100);
    book.pass_on({{entry_a, entry_c}, {entry_b, entry_c}}, 2, start); // once more, as after a lack of memory
    CHECK(left(book, entry_c, 1) == 30);
}

TEST_CASE("what two accounts give each other is what they had, not what they have just got")
{
    budget_book book{1, start, {}};
    book.open(at(entry_a, 1), hourly(100), start)->take(70, start);
    book.open(at(entry_b, 1), hourly(100), start)->take(40, start);
    book.pass_on({{entry_a, entry_b}, {entry_b, entry_c}}, 2, start);
    CHECK(left(book, entry_b, 1) == 30);
    CHECK(left(book, entry_c, 1) == 60);
}

TEST_CASE("an heir's sums slide out when those that it inherited would have")
{
    budget_book book{1, start, {}};
    book.open(at(entry_a, 1), hourly(100), start)->take(70, start);
    book.open(at(entry_b, 1), hourly(100), start + 30min)->take(20, start + 30min);
    book.pass_on({{entry_a, entry_b}}, 2, start + 40min);
    const auto room = [&](budget_minutes now) { return book.open(at(entry_b, 1), hourly(100), now)->room(now); };
    CHECK(room(start + 40min) == 10); // 70 at the start, 20 half an hour later: at least so much in each step
    CHECK(room(start + 60min) == 10);
    CHECK(room(start + 61min) == 80);
    CHECK(room(start + 91min) == 100);
}

TEST_CASE("of what pulls cost only what goes beyond the usual is inherited by an entry with a budget of its own")
{
    budget_book book{1, start, {}};
    auto pull = book.open(at(pulls, 1), default_upload(purpose::pull), start);
    for (int i = 0; i < 10; ++i) pull->tunnel_opened();
    CHECK(pull->take(10 * limits::pull_tunnel_bytes + 60, start) == 10 * limits::pull_tunnel_bytes + 60);
    book.pass_on({{pulls, entry_a}}, 2, start);
    CHECK(left(book, entry_a, 1) == 40);
    book.open(at(entry_b, 2), hourly(10'000'000), start)->take(3'000'000, start);
    book.pass_on({{entry_b, pulls}}, 3, start);
    CHECK(book.open(at(pulls, 2), default_upload(purpose::pull), start)->room(start) == 4 * 1024 * 1024 - 3'000'000);
}

TEST_CASE("a spent account that nobody has opened yet is not what a full book lets go")
{
    budget_book book{1, start, {}};
    book.open(at(entry_a, 1), hourly(100), start)->take(100, start);
    book.pass_on({{entry_a, entry_b}}, 2, start);
    for (std::uint32_t i = 0; i < limits::budget_accounts + limits::budget_accounts / 8; ++i)
        book.open(of(i + 10), hourly(100), start + 1min);
    CHECK(left(book, entry_b, 1) == 0);
}
