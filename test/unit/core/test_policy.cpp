#include <doctest/doctest.h>
#include <exeat/policy.hpp>
#include <exeat/policy_builder.hpp>

#include <random>

using namespace exeat;
using namespace std::chrono_literals;

namespace {

ip_address ip(std::string_view text)
{
    const auto a = ip_address::parse(text);
    REQUIRE_MESSAGE(a.has_value(), text);
    return *a;
}

ip_prefix net(std::string_view text)
{
    const auto p = ip_prefix::parse(text);
    REQUIRE_MESSAGE(p.has_value(), text);
    return *p;
}

group of(std::string name, std::initializer_list<std::string_view> sources, std::uint32_t slot = 0)
{
    group g{std::move(name), {}, slot};
    for (const auto s : sources) g.sources.push_back(net(s));
    return g;
}

policy with(const std::vector<group>& groups)
{
    policy_builder b;
    for (const auto& g : groups) b.add_group(g);
    return std::move(b).finish({});
}

group_set bits(std::initializer_list<std::size_t> all)
{
    group_set s;
    for (const auto i : all) s.set(i);
    return s;
}

constexpr wall_time now = wall_time{1'800'000'000s};

} // namespace

TEST_CASE("a source belongs to every group whose network holds it, nested and repeated networks too")
{
    const auto p = with({of("a", {"10.0.0.0/8"}), of("b", {"10.1.0.0/16", "fd00::/8"}), of("c", {"10.1.0.0/16", "10.255.255.255"})});
    CHECK(p.groups_of(ip("10.0.0.0")) == bits({0}));
    CHECK(p.groups_of(ip("10.1.2.3")) == bits({0, 1, 2}));
    CHECK(p.groups_of(ip("10.2.0.0")) == bits({0}));
    CHECK(p.groups_of(ip("10.255.255.255")) == bits({0, 2}));
    CHECK(p.groups_of(ip("10.255.255.254")) == bits({0}));
    CHECK(p.groups_of(ip("11.0.0.0")).none());
    CHECK(p.groups_of(ip("9.255.255.255")).none());
    CHECK(p.groups_of(ip("fd00::1")) == bits({1}));
    CHECK(p.groups_of(ip("fe00::1")).none());
    CHECK(p.groups_of(ip("::ffff:10.1.2.3")) == bits({0, 1, 2})); // one address, however written
}

TEST_CASE("the last address of all ends its ranges")
{
    const auto p = with({of("a", {"8000::/1"}), of("b", {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"}), of("c", {"ffff::/16"})});
    CHECK(p.groups_of(ip("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff")) == bits({0, 1, 2}));
    CHECK(p.groups_of(ip("ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe")) == bits({0, 2}));
    CHECK(p.groups_of(ip("8000::")) == bits({0}));
    CHECK(p.groups_of(ip("7fff:ffff::")).none());
}

TEST_CASE("groups of random networks are those that a walk over all networks finds")
{
    std::mt19937 random{3};
    for (int round = 0; round < 40; ++round) {
        std::vector<group> groups(1 + random() % 12);
        for (auto& g : groups) {
            for (std::size_t i = random() % 6; i-- > 0;) {
                const auto bits_kept = 24 + random() % 9;
                const auto a =
                    ip_address::v4((0x0a000000u | (random() & 0x3ff)) & ~((std::uint64_t{1} << (32 - bits_kept)) - 1) & 0xffffffffu);
                g.sources.push_back({a, static_cast<std::uint8_t>(96 + bits_kept)});
            }
        }
        const auto p = with(groups);
        for (std::uint32_t i = 0; i < 0x420; ++i) {
            const auto a = ip_address::v4(0x0a000000u - 0x10 + i);
            group_set expected;
            for (std::size_t g = 0; g < groups.size(); ++g)
                for (const auto& n : groups[g].sources)
                    if (n.contains(a)) expected.set(g);
            REQUIRE(p.groups_of(a) == expected);
        }
    }
}

TEST_CASE("a client counts under its first group, and under slot 0 without one")
{
    const auto p = with({of("a", {"10.0.0.0/8"}, 5), of("b", {"10.1.0.0/16"}, 9)});
    CHECK(p.group_slot(p.groups_of(ip("10.1.0.1"))) == 5);
    CHECK(p.group_slot(bits({1})) == 9);
    CHECK(p.group_slot({}) == 0);
}

TEST_CASE("report mode ends at its time")
{
    policy_settings s;
    s.report = true;
    s.report_until = now;
    const auto p = policy_builder{}.finish(s);
    CHECK(p.reporting(now - 1s));
    CHECK_FALSE(p.reporting(now));
    CHECK_FALSE(policy{}.reporting(now));
}

TEST_CASE("report mode of a group is for its clients alone")
{
    policy_settings s;
    s.report_until = now;
    auto a = of("a", {"10.0.0.0/8"}), b = of("b", {"10.1.0.0/16"});
    b.report = true;
    policy_builder made;
    made.add_group(a);
    made.add_group(b);
    const auto p = std::move(made).finish(s);
    CHECK(p.reporting(now - 1s));
    CHECK(p.reporting(p.groups_of(ip("10.1.0.1")), now - 1s));
    CHECK_FALSE(p.reporting(p.groups_of(ip("10.2.0.1")), now - 1s));
    CHECK_FALSE(p.reporting(group_set{}, now - 1s));
    CHECK_FALSE(p.reporting(p.groups_of(ip("10.1.0.1")), now));
    CHECK(p.next_change(now - 1s) == now);
}

TEST_CASE("the next change is the nearest expiry that is still to come")
{
    policy_builder b;
    for (const auto at : {now - 1s, now + 30s, now + 10s}) {
        rule r;
        r.expires = at;
        b.add_rule(r);
    }
    policy_settings s;
    s.expires = now + 20s;
    s.report = true;
    s.report_until = now + 5s;
    const auto p = std::move(b).finish(s);
    CHECK(p.next_change(now) == now + 5s);
    CHECK(p.next_change(now + 5s) == now + 10s);
    CHECK(p.next_change(now + 10s) == now + 20s);
    CHECK(p.next_change(now + 20s) == now + 30s);
    CHECK(p.next_change(now + 30s) == never);
    CHECK(policy{}.next_change(now) == never);
}

TEST_CASE("a small policy takes little memory")
{
    policy_builder b;
    const auto r = b.add_rule({});
    b.add_host(r, *host_pattern::parse("pkg.test"));
    CHECK(std::move(b).finish({}).bytes() < 8'192);
}
