#include "account_lists.hpp"

#include <string>
#include <vector>

using namespace exeat;
using namespace exeat::testing;

TEST_CASE("the first list, and the same list again, inherit nothing")
{
    lists l;
    const std::vector all{with_budget("a", {"a.test.org", "*.w.test.org"}), with_budget("b", {"a.test.org"})};
    CHECK(l.entries(all).empty());
    CHECK(l.entries(all).empty());
}

TEST_CASE("an entry under another name inherits, and its neighbour does not")
{
    lists l;
    l.entries({with_budget("a", {"x.test.org"}), with_budget("b", {"y.test.org"})});
    CHECK(l.entries({with_budget("c", {"x.test.org"}), with_budget("b", {"y.test.org"})}) == names{{"a", "c"}});
}

TEST_CASE("each part of an entry that was split inherits, and one that is made of several inherits of each")
{
    lists l;
    l.entries({with_budget("a", {"x.test.org", "y.test.org"})});
    CHECK(l.entries({with_budget("a", {"x.test.org"}), with_budget("b", {"y.test.org"})}) == names{{"a", "b"}});
    CHECK(l.entries({with_budget("c", {"x.test.org", "y.test.org"})}) == names{{"a", "c"}, {"b", "c"}});
}

TEST_CASE("a host that moves takes what was spent with it, and one that nobody had brings nothing")
{
    lists l;
    l.entries({with_budget("a", {"x.test.org", "y.test.org"}), with_budget("b", {"z.test.org"})});
    CHECK(l.entries({with_budget("a", {"x.test.org"}), with_budget("b", {"z.test.org", "y.test.org"})}) == names{{"a", "b"}});
    CHECK(l.entries({with_budget("a", {"x.test.org", "new.test.org"}), with_budget("b", {"z.test.org", "y.test.org"})}).empty());
}

TEST_CASE("entries that change their hosts inherit from each other")
{
    lists l;
    l.entries({with_budget("a", {"x.test.org"}), with_budget("b", {"y.test.org"})});
    CHECK(l.entries({with_budget("a", {"y.test.org"}), with_budget("b", {"x.test.org"})}) == names{{"a", "b"}, {"b", "a"}});
}

TEST_CASE("ports that do not meet are different hosts, whatever the protocol")
{
    lists l;
    l.entries({with_budget("a", {"x.test.org"}, {443, 8443})});
    auto raw = with_budget("c", {"x.test.org"}, {22, 8443});
    raw.value.protocol = protocol::tcp;
    CHECK(l.entries({with_budget("b", {"x.test.org"}, {80}), raw}) == names{{"a", "c"}});
}

TEST_CASE("a port that an entry gains brings what was spent there")
{
    lists l;
    l.entries({with_budget("a", {"x.test.org"}, {443}), with_budget("b", {"x.test.org"}, {443, 8443})});
    CHECK(l.entries({with_budget("a", {"x.test.org"}, {443, 444}), with_budget("b", {"x.test.org"}, {443, 8443})}).empty());
    CHECK(l.entries({with_budget("a", {"x.test.org"}, {443, 444, 8443}), with_budget("b", {"x.test.org"}, {443, 8443})}) ==
          names{{"b", "a"}});
}

TEST_CASE("wildcards meet the names and the wildcards below them, and no others")
{
    const auto inherits = [](const std::string& before, const std::string& after) {
        lists l;
        l.entries({with_budget("a", {before})});
        return l.entries({with_budget("b", {after})}) == names{{"a", "b"}};
    };
    struct pair {
        const char *one, *other;
        bool meet;
    };
    for (const auto& p : {pair{"x.w.org", "*.w.org", true},
                          {"x.w.org", "**.w.org", true},
                          {"x.y.w.org", "**.w.org", true},
                          {"w.org", "*.w.org", false},
                          {"w.org", "**.w.org", false},
                          {"x.v.org", "**.w.org", false},
                          {"*.w.org", "**.w.org", true},
                          {"*.y.w.org", "**.w.org", true},
                          {"**.y.w.org", "**.w.org", true},
                          {"*.w.org", "*.w.org", true},
                          {"*.v.org", "*.w.org", false},
                          {"**.v.org", "**.w.org", false},
                          {"192.0.2.1", "192.0.2.1", true},
                          {"192.0.2.1", "192.0.2.2", false},
                          {"[2001:db8::1]", "[2001:db8::1]", true},
                          {"x.a1", "**.x.a1", false},
                          {"y.x.a1", "**.x.a1", true}}) {
        CAPTURE(p.one);
        CAPTURE(p.other);
        CHECK(inherits(p.one, p.other) == p.meet);
        CHECK(inherits(p.other, p.one) == p.meet);
    }
}

TEST_CASE("where the exception to a wildcard is taken out, the wildcard inherits")
{
    lists l;
    l.entries({with_budget("wide", {"*.w.org"}), with_budget("one", {"x.w.org", "other.org"})});
    CHECK(l.entries({with_budget("wide", {"*.w.org"}), with_budget("one", {"other.org"})}) == names{{"one", "wide"}});
}

TEST_CASE("of two entries with one host the one that stays inherits from the one that goes")
{
    lists l;
    l.entries({with_budget("a", {"x.test.org"}), with_budget("b", {"x.test.org"})});
    CHECK(l.entries({with_budget("b", {"x.test.org"})}) == names{{"a", "b"}});
}

TEST_CASE("a host that was taken out is remembered for longer than the longest window")
{
    for (const auto back : {limits::account_memory - 1s, std::chrono::seconds{limits::account_memory}}) {
        lists l;
        l.entries({with_budget("a", {"x.test.org"}), with_budget("b", {"y.test.org"})});
        l.entries({with_budget("b", {"y.test.org"})});
        l.at += back;
        CHECK(l.entries({with_budget("c", {"x.test.org"}), with_budget("b", {"y.test.org"})}).empty() == (back == limits::account_memory));
    }
    static_assert(limits::account_memory > std::chrono::days{7} + std::chrono::hours{23});
}

TEST_CASE("a host that comes back by itself, and lists that alternate, are remembered")
{
    lists l;
    const std::vector first{with_budget("a", {"x.test.org"})}, second{with_budget("b", {"x.test.org"})};
    l.entries(first);
    CHECK(l.entries(second) == names{{"a", "b"}});
    CHECK(l.entries(first) == names{{"b", "a"}});
    CHECK(l.entries(second) == names{{"a", "b"}});
    l.entries({});
    CHECK(l.entries({with_budget("c", {"x.test.org"})}) == names{{"b", "c"}}); // which has what was spent at "a" as well
}

TEST_CASE("many entries for one host that all get other names cost a reload little and leave nothing behind")
{
    lists l;
    const auto all = [](char first) {
        std::vector<entry> out;
        for (std::size_t i = 0; i < limits::entries_of_host; ++i) out.push_back(with_budget(first + std::to_string(i), {"x.test.org"}));
        return out;
    };
    l.next(all('a'));
    CHECK(l.next(all('b')).entries.all().size() == limits::entries_of_host * limits::entries_of_host);
    CHECK(l.next(all('c')).entries.all().size() == limits::entries_of_host * limits::entries_of_host);
    CHECK(l.history.is().past == coverage{});
}

TEST_CASE("an account that entries share inherits from each of them, and they from it")
{
    lists l;
    l.next({with_budget("a", {"x.test.org"}), with_budget("b", {"y.test.org"})});
    const auto joined = l.next({sharing("one", with_budget("a", {"x.test.org"})), sharing("one", with_budget("b", {"y.test.org"}))});
    const auto id = [](const char* name) { return account_id{budget_key::scope::client_at_entry, budget_key::id_of(name)}; };
    const auto has = [](const account_heirs& h, const account_id& from, const account_id& to) {
        const auto all = h.uploads.all();
        return std::ranges::find(all, heir<account_id>{from, to}) != all.end();
    };
    CHECK(has(joined, id("a"), id("account:one")));
    CHECK(has(joined, id("b"), id("account:one")));
    CHECK(joined.entries.empty());
    const auto apart = l.next({with_budget("a", {"x.test.org"}), with_budget("b", {"y.test.org"})});
    CHECK(has(apart, id("account:one"), id("a")));
    CHECK(has(apart, id("account:one"), id("b")));
    const auto same_word = l.next({sharing("a", with_budget("c", {"x.test.org"}))}); // the entry's account is another
    CHECK(has(same_word, id("a"), id("account:a")));
}

TEST_CASE("what counted for a purpose counts for the entry that gets a budget of its own, and the other way round")
{
    using enum budget_key::scope;
    lists l;
    const auto plain = allow("a", {"x.test.org"});
    const account_id of_pulls{client_at_purpose, 0}, own{client_at_entry, budget_key::id_of("a")}, of_apis{client_at_purpose, 1};
    l.next({plain});
    CHECK(l.next({with_budget("a", {"x.test.org"})}).uploads == heirs_of<account_id>{{of_pulls, own}});
    CHECK(l.next({plain}).uploads == heirs_of<account_id>{{own, of_pulls}});
    auto api = plain;
    api.value.purpose = purpose::api;
    CHECK(l.next({api}).uploads == heirs_of<account_id>{{of_pulls, of_apis}}); // which have what its own had
    policy_settings all;
    all.upload = small; // [defaults]
    const auto heirs = l.next(compiled({api}, all)).uploads.all();
    CHECK(std::ranges::find(heirs, heir<account_id>{of_apis, own}) != heirs.end());
}

TEST_CASE("a pinned address is the same host under any name")
{
    lists l;
    auto a = linked("a", {"x.test.org"}), b = linked("b", {"other.org"});
    a.value.addresses = b.value.addresses = {ip_address::v4(0x0a140804)};
    a.value.upload = b.value.upload = small;
    l.entries({a});
    CHECK(l.entries({b}) == names{{"a", "b"}});
}

TEST_CASE("a deny has no account")
{
    lists l;
    l.entries({with_budget("a", {"x.test.org"}), deny("no", {"y.test.org"})});
    CHECK(coverage_of(compiled({deny("no", {"y.test.org"})}), now) == coverage{});
}

TEST_CASE("hosts beyond those that can be remembered were anywhere, and what is new inherits from their accounts")
{
    for (const std::size_t more : {0, 1}) {
        lists l;
        l.known = {"large", "small", "new"};
        account_history::state s;
        s.past.holdings = coverage_of(compiled({with_budget("large", {"x.large.org"})}), now).holdings;
        s.of_past = {{l.at + 1h, false}};
        constexpr std::size_t of_small = 2; // marks: the name, and one above it
        for (std::uint64_t i = 0; i < limits::past_hosts - of_small + more; ++i) s.past.marks.push_back(i << 18);
        l.history = account_history{std::move(s)};
        l.next({with_budget("small", {"x.small.org"})});
        l.next(policy{});
        CHECK(l.history.is().past.marks.size() <= limits::past_hosts);
        const names large{{"large", "new"}}, small_too{{"large", "new"}, {"small", "new"}};
        CHECK(l.entries({with_budget("new", {"never.was.org"})}) == (more == 0 ? names{} : large));
        CHECK(l.entries({with_budget("new", {"x.small.org"})}) == (more == 0 ? names{{"small", "new"}} : small_too));
        l.at += 2h;
        CHECK(l.entries({with_budget("new", {"x.small.org", "fresh.org"})}).empty());
    }
}

// Lists of entries, each for a host of its own, that all go: how many.
static std::size_t more_than_can_be_remembered(lists& l)
{
    std::size_t n = 0;
    while (n <= limits::past_holdings) {
        std::vector<entry> all;
        for (std::size_t i = 0; i < limits::rules; ++i, ++n)
            all.push_back(with_budget('e' + std::to_string(n), {"h" + std::to_string(n) + ".org"}));
        l.next(all);
        l.at += 1s;
    }
    l.next(policy{});
    CHECK(l.history.is().past.holdings.size() == limits::past_holdings);
    return n;
}

TEST_CASE("of past entries beyond those that can be remembered, those go first that nobody sent to")
{
    lists l;
    l.used = {budget_key::id_of("spent")};
    l.next({with_budget("spent", {"spent.org"})});
    more_than_can_be_remembered(l);
    CHECK_FALSE(l.next({with_budget("fresh", {"spent.org"})}).empty());
}

TEST_CASE("of so many past entries those that end last are remembered")
{
    lists l;
    const auto n = more_than_can_be_remembered(l);
    CHECK(l.next({with_budget("new", {"h" + std::to_string(limits::rules - 1) + ".org"})}).empty());
    CHECK_FALSE(l.next({with_budget("newer", {"h" + std::to_string(n - 1) + ".org"})}).empty());
}
