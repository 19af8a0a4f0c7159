#include "small_allowlist.hpp"

#include <algorithm>

using namespace exeat;
using namespace exeat::testing;

namespace {

std::string deny(std::string_view hosts, std::string_view more = "")
{
    return "[[deny]]\nname = \"d\"\nhosts = [" + std::string{hosts} + "]\n" + std::string{more} + "\n";
}

bool denied(const policy& p, std::string_view address, std::string_view source = "10.42.1.1")
{
    return p.denies(p.groups_of(*ip_address::parse(source)), 443, *ip_address::parse(address)) != nullptr;
}

// Of `least`, an entry that somebody answers for, and `text`, which begins in line 9.
std::string warnings(std::string_view text, std::string_view allowed = "hosts = [\"ok.test\"]")
{
    const temporary_directory d;
    label_registry labels;
    const auto list =
        std::string{least} + "[[allow]]\nname = \"a\"\n" + std::string{allowed} + "\nowner = \"o\"\nreason = \"r\"\n" + std::string{text};
    const auto loaded = load_allowlist(d.write("allowlist.toml", list), labels, now, ops::scrutiny::lint);
    CHECK_MESSAGE(loaded.rules, text_of(loaded.problems));
    return text_of(loaded.problems);
}

bool has(const std::string& text, std::string_view part) { return text.find(part) != text.npos; }

} // namespace

TEST_CASE("a deny names hosts, addresses and networks side by side")
{
    const auto loaded = load(std::string{least} + std::string{entry} +
                             deny("\"evil.test\", \"93.184.216.34\", \"198.18.0.0/15\", \"2a00:1450::/32\", \"[2606:2800:220::1]\""));
    REQUIRE_MESSAGE(loaded.rules, text_of(loaded.problems));
    for (const auto* a : {"93.184.216.34", "198.18.0.1", "198.19.255.255", "2a00:1450::1", "2606:2800:220::1"})
        CHECK_MESSAGE(denied(*loaded.rules, a), a);
    for (const auto* a : {"93.184.216.35", "198.20.0.0", "2a00:1451::1", "2606:2800:220::2"}) CHECK_MESSAGE(!denied(*loaded.rules, a), a);
    CHECK(said(*loaded.rules, "evil.test:443") == verdict::denied_by_rule);
    CHECK(said(*loaded.rules, "198.18.0.1:443") == verdict::denied_by_rule);
    CHECK_FALSE(denied(*loaded.rules, "198.18.0.1", "10.9.9.9")); // in no group
}

TEST_CASE("a hosts_file of a deny names networks too, one of an allow does not")
{
    const temporary_directory d;
    label_registry labels;
    d.write("bad.txt", "# a shared block list\n198.18.0.0/15\n  2a00:1450::/32 # six\nevil.test\n93.184.216.34\n");
    const std::string file = "hosts_file = \"bad.txt\"\n";
    const auto loaded =
        load_allowlist(d.write("allowlist.toml", std::string{least} + std::string{entry} + "[[deny]]\nname = \"d\"\n" + file), labels, now);
    REQUIRE_MESSAGE(loaded.rules, text_of(loaded.problems));
    for (const auto* a : {"198.19.0.1", "2a00:1450::1", "93.184.216.34"}) CHECK_MESSAGE(denied(*loaded.rules, a), a);
    CHECK(said(*loaded.rules, "evil.test:443") == verdict::denied_by_rule);
    const auto allowed = load_allowlist(d.write("other.toml", std::string{least} + "[[allow]]\nname = \"a\"\n" + file), labels, now);
    CHECK_FALSE(allowed.rules);
    CHECK(has(text_of(allowed.problems),
              "bad.txt:2:1: error: '198.18.0.0/15' is not a host; that is a network, which only a [[deny]] takes"));
    d.write("bad.txt", "198.18.0.1/15\n0.0.0.0 ads.test\n127.0.0.1\tads.test\n.evil.test\n");
    const auto wrong = text_of(load_allowlist(d.path("allowlist.toml"), labels, now).problems);
    CHECK(has(wrong, "bad.txt:1:1: error: '198.18.0.1/15' is not a network"));
    CHECK(has(wrong, "bad.txt:2:1: error: '0.0.0.0 ads.test' is not a host; that is a line of an /etc/hosts file"));
    CHECK(has(wrong, "bad.txt:3:1: error: "));
    CHECK(has(wrong, "with **. in front"));
}

TEST_CASE("a network that is none, or where none can be, is an error with its place and a fix")
{
    constexpr bad_snippet snippets[] = {
        // behind `least`
        {"[[private_link]]\nhosts = [\"10.0.0.0/8\"]", 5, 10, "that is a network, which only a [[deny]] takes"},
        {"[[deny]]\nname = \"d\"\nhosts = [\"10.0.0.1/8\"]", 6, 10, "bits behind the prefix are set"},
        {"[[deny]]\nname = \"d\"\nhosts = [\"::/0\"]", 6, 10, "takes in every IPv4 address too"},
        {"[[deny]]\nname = \"d\"\nhosts = [\"10.0.0.0/33\"]", 6, 10, "is not a network"},
        {"[[deny]]\nname = \"d\"\nhosts = [\"pkg.test/24\"]", 6, 10, "that is a path"},
        {"[[allow]]\nhosts = [\".example.org\"]", 5, 10, "with **. in front for every name below it"},
        {"[[allow]]\nhosts = [\"0.0.0.0 ads.test\"]", 5, 10, "a line of an /etc/hosts file"},
        {"[[allow]]\nname = \"a\"\nhosts = [\"a.b\"]\nend = true\nports = [443]", 7, 1, "unknown key 'end'"},
        {"[[allow]]\nname = \"a\"\nhosts = [\"a.b\"]\nend = false", 7, 1, "write end = true"},
        {"[[allow]]\nname = \"a\"\nhosts = [\"a.b\"]\nend = 1 # not yet\n", 7, 1, "write end = true"},
    };
    for (const auto& bad : snippets) check_complaint(bad, load(std::string{least} + std::string{bad.text}).problems);
}

TEST_CASE("what a denied network closes for good is warned of")
{
    const std::string literal = "protocol = \"tcp\"\nports = [22]\nhosts = [\"93.184.216.34\"]";
    CHECK(has(warnings(deny("\"93.184.216.0/24\""), literal), "93.184.216.34 never opens: 'd' (line 13) denies 93.184.216.0/24"));
    CHECK_FALSE(has(warnings(deny("\"93.184.216.0/24\"", "ports = [443]"), literal), "never opens"));
    CHECK_FALSE(has(warnings(deny("\"93.184.217.0/24\""), literal), "never opens"));
    const auto link = [](std::string_view where) {
        return "[[private_link]]\nname = \"l\"\nhosts = [\"l.test\"]\nowner = \"o\"\nreason = \"r\"\n" + std::string{where} + "\n";
    };
    CHECK(has(warnings(link("within = [\"10.20.8.0/24\"]") + deny("\"10.20.0.0/16\"")), "10.20.8.0/24 never opens"));
    CHECK(has(warnings(link("addresses = [\"10.20.8.4\"]") + deny("\"10.20.8.4\"")), "10.20.8.4 never opens"));
    CHECK(warnings(link("within = [\"10.20.8.0/24\"]") + deny("\"10.20.8.7\"")).empty()); // a part of it
    CHECK(has(warnings(deny("\"198.18.0.0/15\", \"198.18.7.0/24\"")), "198.18.7.0/24 lies in 198.18.0.0/15 of this entry"));
    CHECK(warnings(deny("\"93.184.216.0/24\", \"evil.test\"")).empty());
}
