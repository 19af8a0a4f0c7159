#include <exeat/ip_address.hpp>

#include <doctest/doctest.h>
#include <random>
#include <string>

using namespace exeat;

TEST_CASE("only strict dotted quads are IPv4 addresses")
{
    for (const std::string_view text : {"0.0.0.0", "127.0.0.1", "10.20.30.40", "255.255.255.255"}) {
        CAPTURE(text);
        const auto a = ip_address::parse(text);
        REQUIRE(a);
        CHECK(a->is_v4());
        CHECK(a->to_string() == text);
    }
    for (const std::string_view text : {"",         ".",          "1",         "1.2.3",      "1.2.3.4.5",  "1.2.3.256", "01.2.3.4",
                                        "1.2.3.04", "0x7f.0.0.1", "127.1",     "1.2.3.4 ",   " 1.2.3.4",   "+1.2.3.4",  "1.2.3.-4",
                                        "1..3.4",   "1.2.3.4.",   "1.2.3.4/8", "2130706433", "0177.0.0.1", "1.2.3.1000"}) {
        CAPTURE(text);
        CHECK_FALSE(ip_address::parse(text));
    }
    CHECK_FALSE(ip_address::parse(std::string_view{"1.2.3.4\0", 8}));
    CHECK_FALSE(ip_address::parse(std::string_view{"1.2.3.4\0.ok.test", 16}));
}

TEST_CASE("IPv6 text is canonicalised; zones and brackets are refused")
{
    const auto canonical = [](std::string_view text) {
        const auto a = ip_address::parse(text);
        return a ? a->to_string() : std::string{"-"};
    };
    CHECK(canonical("::") == "::");
    CHECK(canonical("::1") == "::1");
    CHECK(canonical("2001:DB8:0:0:0:0:0:1") == "2001:db8::1");
    CHECK(canonical("2001:0db8::0001") == "2001:db8::1");
    CHECK(canonical("64:ff9b::169.254.169.254") == "64:ff9b::a9fe:a9fe");
    for (const std::string_view text : {":", ":::", "1::2::3", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "12345::", "g::", "fe80::1%eth0",
                                        "fe80::1%25eth0", "[::1]", "::1 ", "::1.2.3", "::01.2.3.4", "::1/128", "1:2:3:4:5:6:7:8::"}) {
        CAPTURE(text);
        CHECK(canonical(text) == "-");
    }
    CHECK_FALSE(ip_address::parse(std::string(1000, ':')));
}

TEST_CASE("a mapped address is the IPv4 address")
{
    const auto a = ip_address::parse("::ffff:10.0.0.5");
    REQUIRE(a);
    CHECK(*a == *ip_address::parse("10.0.0.5"));
    CHECK(*a == ip_address::v4(0x0a000005));
    CHECK(a->is_v4());
    CHECK(a->as_v4() == 0x0a000005);
    CHECK(a->to_string() == "10.0.0.5");
    CHECK_FALSE(ip_address::parse("::10.0.0.5")->is_v4());
}

TEST_CASE("what an address is written as reads as the same address")
{
    std::mt19937 dice{1};
    for (int i = 0; i < 20'000; ++i) {
        ip_address a;
        // runs of zeros are what the short form is about
        for (auto& o : a.octets) o = dice() % 3 == 0 ? static_cast<std::uint8_t>(dice()) : 0;
        if (i % 4 == 0) a = ip_address::v4(static_cast<std::uint32_t>(dice()));
        const auto again = ip_address::parse(a.to_string());
        REQUIRE(again);
        REQUIRE(*again == a);
    }
}

TEST_CASE("a prefix contains what shares its bits, and nothing else")
{
    const auto inside = [](std::string_view prefix, std::string_view address) {
        return ip_prefix::parse(prefix)->contains(*ip_address::parse(address));
    };
    CHECK(inside("10.0.0.0/8", "10.255.255.255"));
    CHECK_FALSE(inside("10.0.0.0/8", "11.0.0.0"));
    CHECK_FALSE(inside("10.0.0.0/8", "9.255.255.255"));
    CHECK(inside("10.0.0.0/8", "::ffff:10.1.2.3"));
    CHECK_FALSE(inside("10.0.0.0/8", "a00::"));
    CHECK(inside("172.16.0.0/12", "172.31.255.255"));
    CHECK_FALSE(inside("172.16.0.0/12", "172.32.0.0"));
    CHECK(inside("0.0.0.0/0", "8.8.8.8"));
    CHECK_FALSE(inside("0.0.0.0/0", "2001:db8::1"));
    CHECK(inside("1.2.3.4", "1.2.3.4"));
    CHECK_FALSE(inside("1.2.3.4", "1.2.3.5"));
    CHECK(inside("fd00::/8", "fdff::1"));
    CHECK_FALSE(inside("fd00::/8", "fc00::1"));
    CHECK(inside("2001:db8::/31", "2001:db9::"));
    CHECK(inside("::/0", "2001:db8::1"));
    CHECK(inside("::1/128", "::1"));
}

TEST_CASE("a prefix ends where the next one begins")
{
    CHECK(ip_prefix::parse("10.0.0.0/8")->last() == *ip_address::parse("10.255.255.255"));
    CHECK(ip_prefix::parse("10.0.0.128/25")->last() == *ip_address::parse("10.0.0.255"));
    CHECK(ip_prefix::parse("10.0.0.1")->last() == *ip_address::parse("10.0.0.1"));
    CHECK(ip_prefix::parse("2001:db8::/33")->last() == *ip_address::parse("2001:db8:7fff:ffff:ffff:ffff:ffff:ffff"));
    CHECK(ip_prefix::parse("::/0")->last() == *ip_address::parse("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"));
}

TEST_CASE("a prefix is written as it is read, and nothing is guessed")
{
    for (const std::string_view text : {"10.0.0.0/8", "0.0.0.0/0", "1.2.3.4/32", "fd00::/8", "::/0", "2001:db8::1/128"})
        CHECK(ip_prefix::parse(text)->to_string() == text);
    CHECK(ip_prefix::parse("1.2.3.4")->to_string() == "1.2.3.4/32");
    for (const std::string_view text :
         {"10.0.0.1/8", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/08", "10.0.0.0/+8", "10.0.0.0/8 ", "10.0.0.0/-1", "10/8", "/8", "::1/64",
          "::/129", "fd00::/1000", "10.0.0.0/8/8", "", "10.0.0.0/4294967304"}) {
        CAPTURE(text);
        CHECK_FALSE(ip_prefix::parse(text));
    }
}
