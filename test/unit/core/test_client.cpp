#include <exeat/client.hpp>

#include <doctest/doctest.h>
#include <string_view>

using namespace exeat;

namespace {

std::string key_of(std::string_view source, std::uint8_t v6_bits)
{
    const auto a = ip_address::parse(source);
    REQUIRE(a);
    const auto who = known_as(*a, 54321, v6_bits);
    CHECK(who.source == *a);
    CHECK(who.port == 54321);
    CHECK(who.groups.none());
    return who.key.to_string();
}

} // namespace

TEST_CASE("a client in IPv6 is known by as much of its address as is asked for, the rest zero")
{
    CHECK(key_of("2001:db8:1:2:3:4:5:6", 64) == "2001:db8:1:2::");
    CHECK(key_of("2001:db8:1:2:ffff:ffff:ffff:ffff", 64) == "2001:db8:1:2::");
    CHECK(key_of("2001:db8:1:2:3:4:5:6", 128) == "2001:db8:1:2:3:4:5:6");
    CHECK(key_of("2001:db8:1:2:3:4:5:6", 48) == "2001:db8:1::");
    CHECK(key_of("2001:db8:1:ffff::1", 52) == "2001:db8:1:f000::");
    CHECK(key_of("2001:db8:1:2:3:4:5:7", 127) == "2001:db8:1:2:3:4:5:6");
    CHECK(key_of("2001:db8:1:2::1", 64) != key_of("2001:db8:1:3::1", 64));
}

TEST_CASE("a client in IPv4 is known by its whole address, however it is written")
{
    for (const std::uint8_t bits : {48, 64, 96, 128}) {
        CHECK(key_of("10.42.3.7", bits) == "10.42.3.7");
        CHECK(key_of("::ffff:10.42.3.7", bits) == "10.42.3.7");
    }
}

TEST_CASE("a key reads as a prefix where it stands for one")
{
    const auto text = [](std::string_view source, std::uint8_t bits) {
        return key_text(known_as(*ip_address::parse(source), 1, bits).key, bits);
    };
    CHECK(text("2001:db8:1::7", 64) == "2001:db8:1::/64");
    CHECK(text("2001:db8:1::7", 56) == "2001:db8:1::/56");
    CHECK(text("2001:db8:1::7", 128) == "2001:db8:1::7");
    CHECK(text("10.42.3.7", 64) == "10.42.3.7");
}
