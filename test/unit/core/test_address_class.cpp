#include <exeat/address_class.hpp>

#include <doctest/doctest.h>
#include <random>
#include <utility>

using namespace exeat;

namespace {

using enum address_class;

void check(std::initializer_list<const char*> texts, address_class expected)
{
    for (const auto* text : texts) {
        CAPTURE(text);
        const auto a = ip_address::parse(text);
        REQUIRE(a);
        CHECK(to_string(classify(*a)) == to_string(expected));
    }
}

} // namespace

TEST_CASE("public unicast addresses are global, up to the edges of what is not")
{
    check({"1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255", "128.0.0.0",
           "169.253.255.255", "169.255.0.0", "172.15.255.255", "172.32.0.0", "192.167.255.255", "192.169.0.0", "198.17.255.255",
           "198.20.0.0", "223.255.255.255", "168.63.129.15", "168.63.129.17"},
          global);
    check({"2001:200::1", "2606:4700::1111", "2a00:1450::1", "2003::1", "3ffe::1", "2620:4f:8000::1"}, global);
}

TEST_CASE("metadata addresses are metadata, wherever they lie")
{
    check({"169.254.169.254", "168.63.129.16", "100.100.100.200", "169.254.170.2", "192.0.0.192", "fd00:ec2::254", "::ffff:169.254.169.254",
           "fd20:ce::254", "169.254.170.23", "fe80::a9fe:a9fe"},
          metadata);
}

TEST_CASE("the machine itself and its link")
{
    check({"127.0.0.1", "127.255.255.254", "::1", "::ffff:127.0.0.1"}, loopback);
    check({"0.0.0.0", "0.1.2.3", "::"}, unspecified);
    check({"169.254.0.1", "169.254.255.255", "fe80::1", "febf::1"}, link_local);
}

TEST_CASE("private networks")
{
    check({"10.0.0.0", "10.255.255.255", "172.16.0.1", "172.31.255.255", "192.168.0.1", "100.64.0.1", "100.127.255.255", "fc00::1",
           "fdff::1", "::ffff:10.0.0.5"},
          private_use);
}

TEST_CASE("addresses that hide another address")
{
    check({"64:ff9b::a9fe:a9fe", "64:ff9b::808:808", "64:ff9b:1::1", "64:ff9b:1:ffff::1",
           "2002:7f00:1::", "2002::", "2001:0:1::", "2001::1", "::7f00:1", "::8.8.8.8", "::ffff:0:127.0.0.1", "::2"},
          embedded_v4);
}

namespace {

site_networks translating(std::string_view prefix)
{
    site_networks site;
    site.nat64 = ip_prefix::parse(prefix);
    REQUIRE(site.nat64);
    return site;
}

// The examples of RFC 6052 section 2.4, and one more for each prefix.
struct translation {
    const char *prefix, *quad, *inside;
};
constexpr translation translations[] = {
    {"2001:db8::/32", "192.0.2.33", "2001:db8:c000:221::"},
    {"2001:db8:100::/40", "192.0.2.33", "2001:db8:1c0:2:21::"},
    {"2001:db8:122::/48", "192.0.2.33", "2001:db8:122:c000:2:2100::"},
    {"2001:db8:122:300::/56", "192.0.2.33", "2001:db8:122:3c0:0:221::"},
    {"2001:db8:122:344::/64", "192.0.2.33", "2001:db8:122:344:c0:2:2100::"},
    {"2001:db8:122:344::/96", "192.0.2.33", "2001:db8:122:344::192.0.2.33"},
    {"2001:db8::/32", "8.9.10.11", "2001:db8:809:a0b::"},
    {"2001:db8:100::/40", "8.9.10.11", "2001:db8:108:90a:b::"},
    {"2001:db8:122::/48", "8.9.10.11", "2001:db8:122:809:a:b00::"},
    {"2001:db8:122:300::/56", "8.9.10.11", "2001:db8:122:308:9:a0b::"},
    {"2001:db8:122:344::/64", "8.9.10.11", "2001:db8:122:344:8:90a:b00::"},
    {"64:ff9b::/96", "8.9.10.11", "64:ff9b::809:a0b"},
    {"64:ff9b:1:2::/96", "169.254.169.254", "64:ff9b:1:2::a9fe:a9fe"},
    {"2001:db8::/32", "10.1.2.3", "2001:db8:a01:203::"},
    {"2001:db8:122:344::/64", "168.63.129.16", "2001:db8:122:344:a8:3f81:1000::"},
};

} // namespace

TEST_CASE("an address in the site's NAT64 prefix is of the class of the IPv4 address that it stands for, whatever the prefix's length")
{
    for (const auto& [prefix, quad, inside] : translations) {
        CAPTURE(inside);
        const auto a = ip_address::parse(inside), four = ip_address::parse(quad);
        REQUIRE((a && four));
        const auto seen = classify(*a, translating(prefix));
        CHECK(seen.stands_for == *four);
        CHECK(to_string(seen.of) == to_string(classify(*four)));
        CHECK(classify(*a, {}).stands_for == *a);
        CHECK(classify(*a, {}).of == classify(*a));
    }
}

TEST_CASE("what follows the IPv4 address in a NAT64 address changes nothing")
{
    CHECK(classify(*ip_address::parse("2001:db8:122:344:8:90a:bff:ffff"), translating("2001:db8:122:344::/64")).stands_for ==
          ip_address::parse("8.9.10.11"));
}

TEST_CASE("no NAT64 address opens what its IPv4 address is not, nor loopback, nor what no translator writes")
{
    const auto wide = translating("2a00:1450::/32");
    const auto of = [](std::string_view text, const site_networks& site) { return classify(*ip_address::parse(text), site).of; };
    CHECK(of("2a00:1450:0808:0808::", wide) == global);
    CHECK(of("2a00:1450:7f00:1::", wide) == embedded_v4);
    CHECK(of("2a00:1450:0808:0808:100::", wide) == embedded_v4);
    CHECK(of("2a00:1450:0808:0808:ff00::", wide) == embedded_v4);
    CHECK(of("2a00:1450::", wide) == unspecified);
    CHECK(of("2a00:1450:e000:1::", wide) == multicast);
    CHECK(of("2a00:1451:0a00:1::", wide) == global); // beside it
    CHECK(of("2002:0808:0808::1", wide) == embedded_v4);
    CHECK(of("2001:0:0808:0808::1", wide) == embedded_v4);
    CHECK(of("64:ff9b::808:808", wide) == embedded_v4); // not this site's
    CHECK(of("::ffff:10.0.0.1", wide) == private_use);
    CHECK(of("fd00:ec2::254", translating("fd00:ec2::/96")) == metadata);
}

TEST_CASE("public networks that a site calls its own are private, translated ones too, and nothing else becomes so")
{
    auto site = translating("64:ff9b::/96");
    site.internal = {*ip_prefix::parse("20.40.0.0/16"), *ip_prefix::parse("2a00:1450::/32"), *ip_prefix::parse("168.63.0.0/16")};
    const auto of = [&](std::string_view text) { return classify(*ip_address::parse(text), site).of; };
    for (const auto* a : {"20.40.0.0", "20.40.255.255", "::ffff:20.40.1.1", "2a00:1450::1", "64:ff9b::20.40.0.1"})
        CHECK_MESSAGE(of(a) == private_use, a);
    for (const auto* a : {"20.39.255.255", "20.41.0.0", "2a00:1451::1", "64:ff9b::20.41.0.1"}) CHECK_MESSAGE(of(a) == global, a);
    CHECK(of("168.63.129.16") == metadata);
    CHECK(of("64:ff9b::168.63.129.16") == metadata);
    CHECK(of("127.0.0.1") == loopback);
}

TEST_CASE("multicast and broadcast") { check({"224.0.0.1", "239.255.255.255", "255.255.255.255", "ff02::1", "ff0e::1"}, multicast); }

TEST_CASE("what nobody should reach is reserved")
{
    check({"240.0.0.1", "255.255.255.254", "198.18.0.1", "198.19.255.255", "192.0.2.1", "198.51.100.1", "203.0.113.1", "192.0.0.1",
           "192.88.99.1"},
          reserved);
    check({"2001:db8::1", "fec0::1", "100::1", "3fff::1", "5f00::1", "4000::1", "1fff:ffff::1", "2001:2::1", "2001:10::1", "2001:20::1",
           "2001:1ff::1", "64:ff9b:2::1", "64:ff9a::1", "fe00::1"},
          reserved);
}

TEST_CASE("nothing outside 2000::/3 and the IPv4 unicast space is ever global")
{
    std::mt19937 dice{2};
    for (int i = 0; i < 50'000; ++i) {
        ip_address a;
        for (auto& o : a.octets) o = static_cast<std::uint8_t>(dice());
        if ((a.octets[0] & 0xe0) == 0x20) a.octets[0] ^= 0x80;
        REQUIRE(classify(a) != global);
    }
}
