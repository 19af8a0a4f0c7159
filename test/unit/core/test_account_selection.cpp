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
    CHECK(from_a(ip_address{}) == just_b); // all clients together
    l.entries({a, b, c, all}, groups("10.2.0.0/16", "10.1.0.0/16"));
    CHECK(l.of_moved.empty());
}
