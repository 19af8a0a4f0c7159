#include "small_allowlist.hpp"

#include <net/upload/upload_permit.hpp>
#include <net/wall_clock.hpp>
#include <ops/state/account_ledger.hpp>
#include <ops/state/account_snapshot.hpp>
#include <ops/state/name_ledger.hpp>
#include <ops/state/name_snapshot.hpp>
#include <ops/state/upload_ledger.hpp>
#include <ops/state/upload_snapshot.hpp>
#include <ops/text/number_bytes.hpp>
#include <ops/text/sealed_bytes.hpp>

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <fstream>
#include <sstream>

using namespace exeat;
using namespace exeat::ops;
using namespace std::chrono_literals;

namespace {

constexpr auto nobody = [](const holding&) { return false; }; // sent anything
constexpr auto always = [] { return std::uint64_t{1'000}; };  // was saved since

std::string content(const std::string& path)
{
    std::ifstream in{path, std::ios::binary};
    return (std::ostringstream{} << in.rdbuf()).str();
}

std::shared_ptr<const policy> list_of(const std::string& name, const std::string& host)
{
    const auto loaded = testing::load(fmt::format("{}[[allow]]\nname = \"{}\"\nhosts = [\"{}\", \"**.w.test\"]\nupload = \"1 MiB/1h\"\n"
                                                  "[[allow]]\nname = \"other\"\nhosts = [\"*.other.test\"]\n",
                                                  testing::least, name, host));
    REQUIRE(loaded.rules);
    return loaded.rules;
}

account_history::state some_state()
{
    account_history h;
    h.adopt(coverage_of(*list_of("a", "x.test"), testing::now), testing::now, nobody);
    h.adopt(coverage_of(*list_of("b", "y.test"), testing::now), testing::now, nobody);
    h.adopt(coverage_of(*list_of("c", "z.test"), testing::now), testing::now + 5s, nobody);
    return h.is();
}

void follow(account_ledger& l, const policy& p) { l.adopt(coverage_of(p, testing::now), nobody, false); }

} // namespace

TEST_CASE("accounts that are encoded are decoded as they were, and no byte may be other")
{
    const auto s = some_state();
    CHECK(s.past.holdings.size() == 2);
    const auto bytes = encode(s);
    const auto again = decode_accounts(bytes);
    REQUIRE(again);
    CHECK(*again == s);
    CHECK(decode_accounts(encode(account_history::state{})) == account_history::state{});
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        auto bad = bytes;
        bad[i] = static_cast<char>(bad[i] ^ 1);
        CHECK_FALSE(decode_accounts(bad));
        CHECK_FALSE(decode_accounts(std::string_view{bytes}.substr(0, i)));
    }
}

TEST_CASE("sealed accounts that no process could have written are none")
{
    const auto good = some_state();
    const auto with = [&](auto change) {
        auto s = good;
        change(s);
        return decode_accounts(encode(s)).has_value();
    };
    CHECK(with([](auto&) {}));
    CHECK_FALSE(with([](auto& s) { s.now.marks.push_back(s.now.marks.back()); }));
    CHECK_FALSE(with([](auto& s) { s.now.marks.back() |= s.now.holdings.size(); }));
    CHECK_FALSE(with([](auto& s) { s.now.holdings[0].ports = {443, 443}; }));
    CHECK_FALSE(with([](auto& s) { s.now.holdings[0].client.of = budget_key::scope::entry; }));
    CHECK_FALSE(with([](auto& s) { s.now.holdings[1].client.what = purposes; }));
    CHECK_FALSE(with([](auto& s) { s.of_past[0].until = wall_time{std::chrono::minutes{limits::snapshot_minutes + 1}}; }));
    CHECK_FALSE(with([](auto& s) { s.of_past.pop_back(); }));
}

TEST_CASE("the next process knows whose the hosts were, after a clean end and soon after each list")
{
    const temporary_directory d;
    const event_log log{log_format::people};
    {
        account_ledger l{d.path(""), log, always};
        CHECK_FALSE(l.knows());
        follow(l, *list_of("a", "x.test"));
        l.begin();
        const auto first = content(d.path("accounts"));
        CHECK(decode_accounts(first));
        follow(l, *list_of("b", "x.test"));
        l.stop();
        CHECK(content(d.path("accounts")) != first);
    }
    account_ledger next{d.path(""), log, always};
    CHECK(next.knows());
    const auto p = list_of("c", "x.test");
    const auto heirs = next.heirs_under(*p, coverage_of(*p, testing::now));
    const auto id = [](const char* n) { return budget_key::id_of(n); };
    CHECK(heirs.entries == heirs_of<std::uint64_t>{{id("b"), id("c")}}); // which has what "a" had
    account_ledger nowhere{{}, log, always};
    follow(nowhere, *p);
    nowhere.begin();
    CHECK_FALSE(nowhere.knows());
}

TEST_CASE("budgets of a process that kept whose the hosts are count as half spent where that is lost, and those of a former version do not")
{
    const temporary_directory d;
    const event_log log{log_format::people};
    const budget_key pod{budget_key::scope::client_at_entry, ip_address::v4(1), 7};
    const upload_limits most{{1'000, unlimited, unlimited}, false};
    const auto left = [&](bool accounts, bool known) {
        budget_book b{1, net::budget_now(), {}};
        b.open(pod, most, net::budget_now())->take(300, net::budget_now());
        auto s = snapshot_of(b, net::budget_now(), true);
        s.saved_at = net::wall_now();
        s.knows_accounts = accounts;
        d.write("uploads", encode(s));
        upload_ledger l{d.path(""), log, whole_address, known};
        return l.book().open(pod, most, net::budget_now())->take(9'999, net::budget_now());
    };
    CHECK(left(true, true) == 700);
    CHECK(left(true, false) == 200);
    CHECK(left(false, false) == 700);
    const auto names_left = [&](bool known) {
        name_budget b{1, net::budget_now(), false};
        name_snapshot s{net::wall_now(), true, b.written(net::budget_now())};
        d.write("names", encode(s));
        name_ledger l{d.path(""), log, known};
        std::size_t taken = 0;
        for (int i = 0; i < 20; ++i) taken += l.names().take(pod.client, 7, std::to_string(i) + ".w.test", 10, net::budget_now());
        return taken;
    };
    CHECK(names_left(true) == 10);
    CHECK(names_left(false) == 5);
}

TEST_CASE("of names that a former version kept the names are known, and where some were counted half counts as used")
{
    for (const bool counted : {false, true}) {
        std::string bytes{"exeat-names-1\n"};
        put(bytes, std::uint64_t{29'000'000});
        for (const std::uint8_t n : {0, 0, 1}) put(bytes, n);
        put(bytes, std::uint64_t{77});
        put(bytes, std::uint32_t{1}), put(bytes, std::uint32_t{5}), put(bytes, std::uint64_t{9}), put(bytes, std::uint8_t{0});
        put(bytes, std::uint32_t{counted});
        if (counted) put(bytes, std::uint64_t{1}), put(bytes, std::uint8_t{1}), put(bytes, std::uint8_t{0}), put(bytes, std::uint16_t{3});
        REQUIRE(seal(bytes));
        const auto s = decode_names(bytes);
        REQUIRE(s);
        CHECK(s->budgets.names.size() == 1);
        CHECK(s->budgets.accounts.empty());
        CHECK(s->lost == counted);
        CHECK_FALSE(s->knows_accounts);
    }
}
