#include <exeat/check_address.hpp>

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
    const auto said = check_address(*d.approval, *a, own);
    if (said) CHECK(said->address() == *a);
    return said ? verdict::allowed : said.error().why;
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

namespace {

own_endpoints at_site(std::string_view nat64, std::initializer_list<std::string_view> internal = {})
{
    own_endpoints own;
    if (!nat64.empty()) own.site.nat64 = ip_prefix::parse(nat64);
    for (const auto n : internal) own.site.internal.push_back(*ip_prefix::parse(n));
    return own;
}

} // namespace

TEST_CASE("an allow reaches no network of the site's own, and a private_link that names it does")
{
    const auto site = at_site("", {"20.40.0.0/16", "2a00:1450::/32"});
    for (const auto* a : {"20.40.1.1", "2a00:1450::1", "::ffff:20.40.0.1"}) {
        CHECK(checked({}, a) == verdict::allowed);
        CHECK(checked({}, a, site) == verdict::addr_class);
    }
    CHECK(checked({}, "20.41.1.1", site) == verdict::allowed);
    CHECK(checked(link_within({"20.40.1.0/24"}), "20.40.1.1", site) == verdict::allowed);
    CHECK(checked(link_within({}, {"2a00:1450::1"}), "2a00:1450::1", site) == verdict::allowed);
    CHECK(checked(link_within({"20.40.1.0/24"}), "20.40.2.1", site) == verdict::private_link_cidr); // public no more
    CHECK(checked(link_within({"20.40.1.0/24"}), "20.41.2.1", site) == verdict::private_link_public);
}

TEST_CASE("an address in the site's NAT64 prefix is judged by the one that it stands for")
{
    const auto site = at_site("2a00:64::/96", {"20.40.0.0/16", "2a00::/16"}); // the prefix may lie in the site's own network
    CHECK(checked({}, "2a00:64::8.8.8.8", site) == verdict::allowed);
    for (const auto* quad :
         {"10.0.0.1", "100.64.0.1", "127.0.0.1", "169.254.169.254", "168.63.129.16", "0.0.0.0", "224.0.0.1", "20.40.1.1"})
        CHECK_MESSAGE(checked({}, "2a00:64::" + std::string{quad}, site) == verdict::addr_class, quad);
    for (const auto& r : {link_within({"0.0.0.0/0", "2a00:64::/96"}), link_within({}, {"127.0.0.1", "2a00:64::127.0.0.1"}),
                          link_within({}, {"169.254.169.254", "2a00:64::169.254.169.254"})})
        for (const auto* quad : {"127.0.0.1", "169.254.169.254", "168.63.129.16", "0.0.0.0"})
            CHECK_MESSAGE(checked(r, "2a00:64::" + std::string{quad}, site) == verdict::addr_class, quad);
    // without the setting, the well-known prefix stays shut and the others are addresses like any
    CHECK(checked({}, "64:ff9b::8.8.8.8") == verdict::addr_class);
    CHECK(checked({}, "64:ff9b::8.8.8.8", at_site("64:ff9b::/96")) == verdict::allowed);
}

TEST_CASE("a private_link names translated addresses in IPv4, or within the NAT64 prefix, and not by a network around that")
{
    const auto site = at_site("2a00:64::/96");
    CHECK(checked(link_within({"10.20.8.0/24"}), "2a00:64::10.20.8.4", site) == verdict::allowed);
    CHECK(checked(link_within({"10.20.8.0/24"}), "2a00:64::10.20.9.4", site) == verdict::private_link_cidr);
    CHECK(checked(link_within({"10.20.8.0/24"}), "2a00:64::8.8.8.8", site) == verdict::private_link_public);
    CHECK(checked(link_within({"2a00:64::a14:800/120"}), "2a00:64::10.20.8.4", site) == verdict::allowed);
    CHECK(checked(link_within({"2a00:64::/32"}), "2a00:64::10.20.8.4", site) == verdict::private_link_cidr);
    CHECK(checked(link_within({"2a00:64::/32"}), "2a00:64:1::1", site) == verdict::allowed);
    CHECK(checked(link_within({}, {"10.20.8.4"}), "2a00:64::10.20.8.4", site) == verdict::allowed);
    CHECK(checked(link_within({}, {"2a00:64::10.20.8.4"}), "2a00:64::10.20.8.4", site) == verdict::allowed);
}

TEST_CASE("a NAT64 address of the machine itself is the machine itself")
{
    auto own = at_site("2a00:64::/96");
    for (const auto* a : {"10.1.2.3", "93.184.216.34", "127.0.0.1"}) own.addresses.push_back(*ip_address::parse(a));
    std::sort(own.addresses.begin(), own.addresses.end());
    own.ports = {443};
    CHECK(checked({}, "2a00:64::93.184.216.34", own, 8443) == verdict::self_connect);
    CHECK(checked(link_within({"10.0.0.0/8"}), "2a00:64::10.1.2.3", own, 8443) == verdict::self_connect);
    CHECK(checked({}, "2a00:64::93.184.216.35", own) == verdict::allowed);
    CHECK(checked(link_within({}, {"127.0.0.1"}), "2a00:64::127.0.0.1", own, 8443) == verdict::addr_class);
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
