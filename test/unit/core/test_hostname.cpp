#include <exeat/hostname.hpp>

#include <exeat/limits.hpp>

#include <doctest/doctest.h>
#include <random>
#include <string>

using namespace exeat;

namespace {

std::string canonical(std::string_view text)
{
    const auto h = hostname::parse(text);
    return h ? std::string{h->str()} : std::string{to_string(h.error())};
}

void refuse(std::string_view text)
{
    CAPTURE(text);
    CHECK(canonical(text) == "host_syntax");
}

std::string label(std::size_t n) { return std::string(n, 'a'); }

} // namespace

TEST_CASE("a name is lower-case and without its trailing dot from birth")
{
    CHECK(canonical("ok.test") == "ok.test");
    CHECK(canonical("OK.TEST") == "ok.test");
    CHECK(canonical("Ok.Test.") == "ok.test");
    CHECK(*hostname::parse("OK.TEST.") == *hostname::parse("ok.test"));
    CHECK(canonical("a-b.c1.9to5.xn--p1ai") == "a-b.c1.9to5.xn--p1ai");
    CHECK(canonical("_dmarc.a_b.ok.test") == "_dmarc.a_b.ok.test");
    CHECK_FALSE(hostname::parse("ok.test")->address());
    CHECK(hostname::parse("ok.test")->authority() == "ok.test");
}

TEST_CASE("what could be read two ways is no name")
{
    refuse(std::string_view{"evil.test\0.ok.test", 18});
    refuse(std::string_view{"ok.test\0", 8});
    for (const auto* text : {"",
                             ".",
                             "..",
                             ".ok.test",
                             "ok..test",
                             "ok.test..",
                             " ok.test",
                             "ok.test ",
                             "ok.test\t",
                             "ok.test\r\n",
                             "ok test",
                             "ok.test:443",
                             "ok.test@evil.test",
                             "ok.test\\@evil.test",
                             "ok.test/",
                             "ok.test?",
                             "ok.test#",
                             "ok%2etest",
                             "%6fk.test",
                             "*",
                             "*.w.test",
                             "ok.*",
                             "ok.test,evil.test",
                             "\"ok.test\""})
        refuse(text);
    for (const auto* text : {"\xe2\x93\x94vil.test", "evil\xe3\x80\x82test", "ok.test\x7f", "\xffok.test",
                             "b\xc3\xbc"
                             "cher.test"})
        refuse(text);
}

TEST_CASE("a name without a dot is not one: a search list would complete it")
{
    for (const auto* text : {"localhost", "instance-data", "metadata", "localhost.", "ok"}) refuse(text);
}

TEST_CASE("brackets hold IPv6 addresses and nothing else")
{
    for (const auto* text : {"[evil.test]",
                             "[[evil.test]]",
                             "[1.2.3.4]",
                             "[]",
                             "[",
                             "]",
                             "[::1",
                             "::1]",
                             "[[::1]]",
                             "[::1]]",
                             "[::1].",
                             "[::1].ok.test",
                             "ok.[::1]",
                             "[fe80::1%25eth0]",
                             "[fe80::1%eth0]",
                             "[::1 ]",
                             "[v1.x]",
                             "::1",
                             "2001:db8::1",
                             "fe80::1%eth0"})
        refuse(text);
    const auto h = hostname::parse("[2001:DB8:0::1]");
    REQUIRE(h.has_value());
    CHECK(h->str() == "2001:db8::1");
    CHECK(h->authority() == "[2001:db8::1]");
    CHECK(h->address() == ip_address::parse("2001:db8::1"));
}

TEST_CASE("an address has one spelling")
{
    CHECK(canonical("192.0.2.1") == "192.0.2.1");
    CHECK(hostname::parse("192.0.2.1")->address() == ip_address::parse("192.0.2.1"));
    CHECK(*hostname::parse("[::ffff:192.0.2.1]") == *hostname::parse("192.0.2.1"));
    CHECK(hostname::parse("[::ffff:192.0.2.1]")->authority() == "192.0.2.1");
}

TEST_CASE("numbers that some resolver would expand to an address are refused")
{
    for (const auto* text :
         {"2130706433", "0x7f000001", "0177.0.0.1", "127.1", "169.254.43518", "0x1A9FEA9FE", "0x7f.1", "1.2.3.0x4", "1.2.3.4.", "1.2.3.4.5",
          "256.1.1.1", "01.2.3.4", "ok.1", "ok.0x", "ok.0X1F", "ok.test.0", "1.2.3.4.0xAB.", "ok.00000000000000000000001"})
        refuse(text);
    CHECK(canonical("1.2.3.4.ok.test") == "1.2.3.4.ok.test");
    CHECK(canonical("0x7f.ok.test") == "0x7f.ok.test");
    CHECK(canonical("ok.1a") == "ok.1a");
    CHECK(canonical("ok.0xyz") == "ok.0xyz");
}

TEST_CASE("labels and names have their lengths")
{
    CHECK(canonical(label(63) + ".test") == label(63) + ".test");
    refuse(label(64) + ".test");
    refuse("test." + label(64));
    const auto longest = label(63) + '.' + label(63) + '.' + label(63) + '.' + label(61);
    REQUIRE(longest.size() == limits::hostname_octets);
    CHECK(canonical(longest) == longest);
    CHECK(canonical(longest + '.') == longest);
    refuse(longest + 'a');
    refuse(label(65536) + ".test");
    refuse(std::string(65536, '.'));
}

TEST_CASE("hyphens and underscores have their places")
{
    for (const auto* text : {"-ok.test", "ok-.test", "ok.-test", "ok.test-", "ok.te_st", "ok._test", "-.test", "ok.-"}) refuse(text);
    for (const auto* text : {"xn--.test", "ok.xn--", "xn--a-.test", "xn--\xc3\xa9.test"}) refuse(text);
    CHECK(canonical("r3---sn-a.test") == "r3---sn-a.test");
    CHECK(canonical("xn--bcher-kva.test") == "xn--bcher-kva.test");
    CHECK(canonical("XN--BCHER-KVA.test") == "xn--bcher-kva.test");
    CHECK(canonical("a-b--c.test") == "a-b--c.test");
    CHECK(canonical("a.b-c") == "a.b-c");
}

TEST_CASE("canonical text is canonical, and has only canonical octets")
{
    constexpr std::string_view alphabet = "aZ09-_..x:[]%@";
    std::mt19937 dice{3};
    unsigned accepted = 0;
    for (int i = 0; i < 200'000; ++i) {
        std::string text(dice() % 12, '\0');
        for (auto& c : text) c = alphabet[dice() % alphabet.size()];
        const auto h = hostname::parse(text);
        if (!h) continue;
        ++accepted;
        const auto again = hostname::parse(h->authority());
        REQUIRE(again.has_value());
        REQUIRE(*again == *h);
        REQUIRE(again->str() == h->str());
        if (!h->address()) REQUIRE(h->str().find_first_not_of("az09-_.x") == std::string_view::npos);
    }
    CHECK(accepted > 1'000);
}
