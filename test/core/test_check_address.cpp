#include "small_policy.hpp"

#include <algorithm>
#include <array>

using namespace exeat;
using namespace exeat::testing;
using namespace std::chrono_literals;

namespace {

verdict checked(const rule& r, std::string_view address, const own_endpoints& own = {}, std::uint16_t port = 443)
{
    auto e = allow("x", {"ok.test"});
    const auto name = e.value.name;
    e.value = r;
    e.value.ports = {port};
    const auto p = compiled({e});
    const auto t = to("ok.test:" + std::to_string(port));
    const auto d = decide(training, t, p, now);
    REQUIRE(d.allowed());
    const auto a = ip_address::parse(address);
    REQUIRE_MESSAGE(a.has_value(), address);
    const auto said = check_address(*d.leave, *a, own);
    if (said) CHECK(said->address() == *a);
    return said ? verdict::allowed : said.error();
}

rule link_within(std::initializer_list<std::string_view> within, std::initializer_list<std::string_view> pinned = {})
{
    rule r;
    r.kind = rule_kind::private_link;
    for (const auto w : within) r.within.push_back(*ip_prefix::parse(w));
    for (const auto a : pinned) r.addresses.push_back(*ip_address::parse(a));
    return r;
}

constexpr std::array nobody_may{
    "169.254.169.254", "168.63.129.16",   "100.100.100.200", "fd00:ec2::254", "169.254.1.1", "fe80::1",
    "224.0.0.1",       "255.255.255.255", "ff02::1",         "0.0.0.0",       "::",          "64:ff9b::a9fe:a9fe",
    "192.0.2.1",       "240.0.0.1"};

} // namespace

TEST_CASE("an allow reaches public addresses and no others")
{
    CHECK(checked({}, "93.184.216.34") == verdict::allowed);
    CHECK(checked({}, "2606:2800:220::1") == verdict::allowed);
    for (const auto* a : {"10.0.0.1", "192.168.1.1", "100.64.0.1", "fd00::1", "127.0.0.1", "::1", "::ffff:127.0.0.1"})
        CHECK_MESSAGE(checked({}, a) == verdict::addr_class, a);
    for (const auto* a : nobody_may) CHECK_MESSAGE(checked({}, a) == verdict::addr_class, a);
}

TEST_CASE("a private_link reaches what lies within and never falls back to a public address")
{
    const auto r = link_within({"10.20.8.0/24", "20.40.0.0/16"});
    CHECK(checked(r, "10.20.8.4") == verdict::allowed);
    CHECK(checked(r, "20.40.1.1") == verdict::allowed); // a public range that was named
    CHECK(checked(r, "93.184.216.34") == verdict::private_link_public);
    CHECK(checked(r, "10.20.9.4") == verdict::private_link_cidr);
    CHECK(checked(r, "127.0.0.1") == verdict::addr_class);
    for (const auto* a : nobody_may) CHECK_MESSAGE(checked(link_within({"0.0.0.0/0", "::/0"}), a) == verdict::addr_class, a);
    CHECK(checked(link_within({"0.0.0.0/0"}), "127.0.0.1") == verdict::addr_class);
}

TEST_CASE("a pinned private_link reaches its addresses alone, loopback among them")
{
    const auto r = link_within({}, {"10.20.8.4", "127.0.0.1"});
    CHECK(checked(r, "10.20.8.4") == verdict::allowed);
    CHECK(checked(r, "127.0.0.1") == verdict::allowed);
    CHECK(checked(r, "10.20.8.5") == verdict::private_link_cidr);
    CHECK(checked(r, "127.0.0.2") == verdict::private_link_cidr);
    CHECK(checked(r, "93.184.216.34") == verdict::private_link_public);
    CHECK(checked(link_within({"10.20.8.0/24"}, {"10.20.8.4"}), "10.20.8.5") == verdict::private_link_cidr);
    for (const auto* a : nobody_may) CHECK_MESSAGE(checked(link_within({}, {a}), a) == verdict::addr_class, a);
}

TEST_CASE("exeat never connects to itself, whatever a rule pins")
{
    own_endpoints own;
    for (const auto* a : {"127.0.0.1", "10.1.2.3", "93.184.216.34", "::1"}) own.addresses.push_back(*ip_address::parse(a));
    std::sort(own.addresses.begin(), own.addresses.end());
    own.ports = {443, 3128, 9464};
    const auto pins = link_within({}, {"127.0.0.1", "127.0.0.9", "::1", "10.1.2.3"});
    CHECK(checked({}, "93.184.216.34", own, 8443) == verdict::self_connect);
    CHECK(checked({}, "10.1.2.3", own, 8443) == verdict::self_connect);
    CHECK(checked(pins, "10.1.2.3", own, 8443) == verdict::self_connect);
    for (const std::uint16_t port : {443, 3128, 9464})
        for (const auto* a : {"127.0.0.1", "127.0.0.9", "::1"}) CHECK(checked(pins, a, own, port) == verdict::self_connect);
    CHECK(checked(pins, "127.0.0.1", own, 8443) == verdict::allowed);
    CHECK(checked(pins, "::1", own, 8443) == verdict::allowed);
    CHECK(checked({}, "127.0.0.1", own, 9464) == verdict::self_connect);
}
