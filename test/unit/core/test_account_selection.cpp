// Which of several entries with a host serves a client: what changes that makes them inherit from each other.
#include "account_lists.hpp"

#include <functional>

using namespace exeat;
using namespace exeat::testing;

TEST_CASE("who names a host of its own wildcard inherits from the neighbour that served the host, and no other")
{
    lists l;
    l.entries({with_budget("a", {"*.w.org"}), with_budget("b", {"x.w.org"}), with_budget("c", {"z.w.org"})});
    CHECK(l.entries({with_budget("a", {"x.w.org", "y.w.org"}), with_budget("b", {"x.w.org"}), with_budget("c", {"z.w.org"})}) ==
          names{{"a", "b"}, {"a", "c"}, {"b", "a"}});
}

TEST_CASE("of entries that have a host in common, those that change places inherit from each other")
{
    lists l;
    const auto a = with_budget("a", {"x.test.org"}), b = with_budget("b", {"x.test.org", "y.test.org"}),
               c = with_budget("c", {"x.test.org"}), d = with_budget("d", {"z.test.org"});
    l.entries({a, b, c, d});
    CHECK(l.entries({d, a, b, c}).empty());
    CHECK(l.entries({d, b, a, c}) == names{{"a", "b"}, {"b", "a"}});
}

TEST_CASE("where kind, protocol or groups of an entry change, it and those around its hosts inherit from each other")
{
    const auto wide = with_budget("wide", {"*.w.org"}), other = with_budget("other", {"x.v.org"});
    const auto one = with_budget("one", {"x.w.org"});
    const std::vector<std::function<void(rule&)>> changes{[](rule& r) { r.kind = rule_kind::private_link; },
                                                          [](rule& r) { r.protocol = protocol::http; },
                                                          [](rule& r) { r.groups = group_set{}.set(1); }};
    for (const auto& change : changes) {
        for (const bool of_wide : {false, true}) {
            lists l;
            l.entries({wide, one, other});
            auto narrow_now = one, wide_now = wide;
            change((of_wide ? wide_now : narrow_now).value);
            CHECK(l.entries({wide_now, narrow_now, other}) == names{{"one", "wide"}, {"wide", "one"}});
            CHECK(l.entries({wide_now, narrow_now, other}).empty());
        }
    }
}

TEST_CASE("what no edit of selection touches stays apart: budgets, purposes, ends to come and words")
{
    lists l;
    const auto wide = with_budget("wide", {"*.w.org"});
    auto one = with_budget("one", {"x.w.org"});
    l.entries({wide, one});
    one.value.expires = now + 1h;
    one.value.upload = upload_limits{{9'000'000, unlimited, unlimited}, false};
    one.value.upload_total = small;
    one.value.owner = "somebody";
    one.value.on_budget = budget_action::alert;
    CHECK(l.entries({wide, one}).empty());
}

TEST_CASE("an entry whose end has passed has no hosts: whoever serves them instead inherits")
{
    lists l;
    const auto wide = with_budget("wide", {"*.w.org"});
    auto one = with_budget("one", {"x.w.org"});
    l.entries({wide, one});
    one.value.expires = now;
    CHECK(l.entries({wide, one}) == names{{"one", "wide"}});
    one.value.expires = now + 1s;
    CHECK(l.entries({wide, one}) == names{{"wide", "one"}});
    auto link = linked("link", {"other.org"}); // a pinned address is a host as well
    link.value.addresses = {ip_address::v4(0x0a140804)};
    link.value.expires = now;
    CHECK(l.entries({link, wide, one}).empty());
}

TEST_CASE("where a network changes its group, its clients inherit between entries of different groups, and nobody else")
{
    const auto groups = [](const char* first, const char* second) {
        return std::vector<group>{{"one", {*ip_prefix::parse(first)}, 0, 0}, {"two", {*ip_prefix::parse(second)}, 0, 0}};
    };
    auto a = with_budget("a", {"x.test.org"}), b = with_budget("b", {"x.test.org"}), c = with_budget("c", {"y.test.org"});
    a.value.groups = group_set{}.set(0);
    b.value.groups = c.value.groups = group_set{}.set(1);
    const auto all = with_budget("all", {"z.test.org"});
    lists l;
    l.entries({a, b, c, all}, groups("10.1.0.0/16", "10.2.0.0/16"));
    CHECK(l.entries({a, b, c, all}, groups("10.1.0.0/16", "10.2.0.0/15")).empty());
    CHECK(l.of_moved == names{{"a", "b"}, {"b", "a"}});
    const auto heirs = l.next(compiled({a, b, c, all}, {}, groups("10.2.0.0/16", "10.1.0.0/16")));
    const auto from_a = [&](const ip_address& client) {
        std::vector<std::uint64_t> out;
        heirs.entries.each(budget_key::id_of("a"), client, [&](auto to) { out.push_back(to); });
        return out;
    };
    const std::vector just_b{budget_key::id_of("b")};
    CHECK(from_a(ip_address::v4(0x0a010001)) == just_b);
    CHECK(from_a(ip_address::v4(0x0a02ffff)) == just_b);
    CHECK(from_a(ip_address::v4(0x0a030001)) == just_b); // is in no group now
    CHECK(from_a(ip_address::v4(0x0a040001)).empty());
    CHECK(from_a(everybody) == just_b);
    l.entries({a, b, c, all}, groups("10.2.0.0/16", "10.1.0.0/16"));
    CHECK(l.of_moved.empty());
}

TEST_CASE("lists whose entries all inherit from others cost a bounded amount, and nothing is left out")
{
    lists l;
    const auto all = [](char first, bool with_own) {
        std::vector<entry> out;
        for (std::size_t i = 0; i < limits::rules; ++i) {
            std::vector<std::string> hosts{"**.w.org"};
            if (i % 8 != 0) hosts = {"x" + std::to_string(i) + ".w.org"};
            if (with_own) hosts.push_back("y" + std::to_string(i) + ".w.org");
            out.push_back(with_budget(first + std::to_string(i), hosts));
        }
        return out;
    };
    l.next(all('a', true));
    const auto heirs = l.next(all('b', false));
    std::size_t listed = 0;
    for (const auto& s : heirs.entries.sets()) listed += s.from.size() + s.to.size();
    CHECK(listed <= 2 * limits::heirs_listed);
    std::size_t found = 0;
    for (std::size_t i = 0; i < limits::rules; ++i)
        heirs.entries.each(budget_key::id_of("a" + std::to_string(i)),
                           [&](auto to) { found += to == budget_key::id_of("b" + std::to_string(i)); });
    CHECK(found >= limits::rules);
}

TEST_CASE("hosts of many labels cost little, and meet the wildcards around them")
{
    std::string deep = "w.org";
    for (int i = 0; i < 60; ++i) deep.insert(0, "a.");
    const auto c = coverage_of(compiled({with_budget("a", {deep})}), now);
    CHECK(c.marks.size() < 20);
    const std::pair<std::string, std::string> around[]{
        {deep, "**." + deep.substr(2)}, {deep, "**.a.w.org"}, {"**." + deep, "**.a.w.org"}, {deep, "*." + deep.substr(2)}};
    for (const auto& [one, other] : around)
        for (const bool wide_first : {false, true}) {
            lists l;
            l.entries({with_budget("a", {wide_first ? other : one})});
            CHECK(l.entries({with_budget("b", {wide_first ? one : other})}) == names{{"a", "b"}});
        }
    lists l;
    const auto wide = with_budget("wide", {"**." + deep.substr(2)});
    l.entries({wide, with_budget("one", {deep})});
    CHECK(l.entries({wide}) == names{{"one", "wide"}});
}
