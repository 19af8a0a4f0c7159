#include <exeat/target.hpp>

#include <doctest/doctest.h>
#include <string>

using namespace exeat;

TEST_CASE("a port is one to five digits from 1 to 65535")
{
    CHECK(*parse_port("1") == 1);
    CHECK(*parse_port("443") == 443);
    CHECK(*parse_port("00443") == 443);
    CHECK(*parse_port("65535") == 65535);
    for (const auto* text : {"", "0", "00000", "65536", "99999", "4294967739", "000443", "+443", "-1", "0x1bb", "https", "443 ", " 443",
                             "4 43", "443:443", "4\xc2\xb2"}) {
        CAPTURE(text);
        const auto p = parse_port(text);
        REQUIRE_FALSE(p.has_value());
        CHECK(p.error() == verdict::host_syntax);
    }
    CHECK_FALSE(parse_port(std::string_view{"44\0", 3}).has_value());
}

TEST_CASE("an authority has a host and a port")
{
    const auto t = parse_authority("OK.test.:443", approach::tunnel);
    REQUIRE(t.has_value());
    CHECK(t->host.str() == "ok.test");
    CHECK(t->port == 443);
    CHECK(t->via == approach::tunnel);
    const auto six = parse_authority("[2001:db8::1]:8443", approach::http);
    REQUIRE(six.has_value());
    CHECK(six->host.str() == "2001:db8::1");
    CHECK(six->port == 8443);
    CHECK(parse_authority("192.0.2.1:80", approach::http)->host.address() == ip_address::parse("192.0.2.1"));
}

TEST_CASE("what is left over in an authority refuses it")
{
    for (const auto* text : {"",
                             ":",
                             ":443",
                             "ok.test",
                             "ok.test:",
                             "ok.test:443:443",
                             "a:443:443",
                             "ok.test@evil.test:443",
                             "ok.test:443@evil.test:443",
                             "user:pw@ok.test:443",
                             "[::1]",
                             "[::1]:",
                             "[::1]443",
                             "[::1]x:443",
                             "[::1:443",
                             "::1:443",
                             "[[::1]]:443",
                             "[evil.test]:443",
                             "[]:443",
                             "ok.test:443/",
                             " ok.test:443",
                             "ok.test :443",
                             "ok.test: 443",
                             "ok.test\\@evil.test:443",
                             "2001:db8::1",
                             "ok.test:443#",
                             "*:443",
                             "*.w.test:443"}) {
        CAPTURE(text);
        const auto t = parse_authority(text, approach::tunnel);
        REQUIRE_FALSE(t.has_value());
        CHECK(t.error() == verdict::host_syntax);
    }
}

TEST_CASE("a port may be left out only where it has a default, and never after its colon")
{
    CHECK(parse_authority("ok.test", approach::http, 80)->port == 80);
    CHECK(parse_authority("[::1]", approach::http, 80)->port == 80);
    CHECK(parse_authority("ok.test:8080", approach::http, 80)->port == 8080);
    CHECK_FALSE(parse_authority("ok.test:", approach::http, 80).has_value());
    CHECK_FALSE(parse_authority("[::1]:", approach::http, 80).has_value());
    CHECK_FALSE(parse_authority("", approach::http, 80).has_value());
}
