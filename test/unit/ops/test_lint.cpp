#include "small_allowlist.hpp"

#include <algorithm>
#include <doctest/doctest.h>

using namespace exeat;
using namespace exeat::testing;

namespace {

// What check says of a list that begins with the lines of `least`; each finding as "line:column text".
std::vector<std::string> linted(const std::string& text)
{
    const temporary_directory d;
    label_registry labels;
    const auto loaded = load_allowlist(d.write("allowlist.toml", std::string{least} + text), labels, testing::now, ops::scrutiny::lint);
    std::vector<std::string> out;
    for (const auto& p : loaded.problems) {
        CHECK(p.how == ops::problem::weight::warning);
        CHECK_MESSAGE(p.text.find(';') != p.text.npos, p.text);
        out.push_back(std::to_string(p.line) + ':' + std::to_string(p.column) + ' ' + p.text);
    }
    return out;
}

constexpr std::string_view by = "owner = \"o\"\nreason = \"r\"\n";

std::string allow(std::string name, std::string more) { return "[[allow]]\nname = \"" + name + "\"\n" + std::string{by} + more + "\n"; }
std::string hosts(std::string list) { return "hosts = [" + list + "]"; }

bool says(const std::vector<std::string>& all, std::string_view place, std::string_view text)
{
    std::string told;
    for (const auto& s : all) told += s + "\n";
    INFO(told);
    return std::any_of(all.begin(), all.end(),
                       [&](const std::string& s) { return s.starts_with(std::string{place} + ' ') && s.find(text) != s.npos; });
}

} // namespace

TEST_CASE("a list without a flaw is not warned of") { CHECK(linted(allow("a", hosts("\"ok.test\", \"*.w.test\""))).empty()); }

TEST_CASE("an entry that nobody answers for is warned of, a deny is not")
{
    CHECK(says(linted("[[allow]]\nname = \"a\"\nhosts = [\"a.b\"]\n"), "4:1", "nobody answers for 'a'; add owner"));
    CHECK(says(linted("[[allow]]\nname = \"a\"\nhosts = [\"a.b\"]\nowner = \"o\"\n"), "4:1", "what it is for; add reason"));
    CHECK(says(linted("[[allow]]\nname = \"a\"\nhosts = [\"a.b\"]\nreason = \"r\"\n"), "4:1", "who answers for it; add owner"));
    CHECK(linted("[[deny]]\nname = \"a\"\nhosts = [\"a.b\"]\n" + allow("b", hosts("\"c.d\""))).empty());
}

TEST_CASE("a group that no client can be in is warned of, and overlaps with nobody")
{
    const auto said =
        linted("[groups.a]\nsources = [\"0.0.0.0/32\"]\n[groups.b]\nsources = [\"0.0.0.0/32\"]\n" + allow("x", hosts("\"a.b\"")));
    CHECK(says(said, "4:1", "nobody is in group 'a': 0.0.0.0/32 is not a client's address; write the networks"));
    CHECK(said.size() == 2);
    CHECK(linted("[groups.a]\nsources = [\"0.0.0.0/32\", \"10.1.0.0/16\"]\n" + allow("x", hosts("\"a.b\""))).empty());
}

TEST_CASE("what ends within a week is warned of, what ends later is not")
{
    CHECK(says(linted(allow("a", hosts("\"a.b\"") + "\nexpires = 2026-06-01T12:00:00Z")), "4:1", "ends within a day"));
    CHECK(says(linted(allow("a", hosts("\"a.b\"") + "\nexpires = 2026-06-08T00:00:00Z")), "4:1", "ends within 7 days"));
    CHECK(linted(allow("a", hosts("\"a.b\"") + "\nexpires = 2026-06-08T00:00:01Z")).empty());
}

TEST_CASE("a host that stands twice, or that another entry takes first, is warned of where it stands")
{
    CHECK(says(linted(allow("a", hosts("\"a.b\", \"A.B.\""))), "8:17", "is listed twice in this entry (line 8 too)"));
    CHECK(says(linted(allow("a", hosts("\"a.b\"")) + allow("b", hosts("\"a.b\""))), "13:10", "shadowed by 'a' (line 8)"));
    CHECK(says(linted(allow("a", hosts("\"a.b\"") + "\nports = [443]") + allow("b", hosts("\"a.b\"") + "\nports = [443, 8443]")), "14:10",
               "named by 'a' (line 8) too"));
    CHECK(linted(allow("a", hosts("\"a.b\"")) + allow("b", hosts("\"a.b\"") + "\nports = [8443]")).empty());
    CHECK(linted(allow("a", hosts("\"a.b\"")) + allow("b", hosts("\"a.b\"") + "\nprotocol = \"http\"")).empty());
}

TEST_CASE("a host that a wildcard opens on the same terms is warned of, one with terms of its own is not")
{
    CHECK(says(linted(allow("a", hosts("\"*.b.test\"")) + allow("b", hosts("\"a.b.test\""))), "13:10", "*.b.test of 'a' (line 8)"));
    CHECK(says(linted(allow("a", hosts("\"**.b.test\"")) + allow("b", hosts("\"*.c.b.test\""))), "13:10", "is open already"));
    CHECK(says(linted(allow("a", hosts("\"**.b.test\"")) + allow("b", hosts("\"*.b.test\""))), "13:10", "is open already"));
    CHECK(linted(allow("a", hosts("\"*.b.test\"")) + allow("b", hosts("\"a.c.b.test\", \"b.test\""))).empty());
    CHECK(linted(allow("a", hosts("\"*.b.test\"")) + allow("b", hosts("\"a.b.test\"") + "\npurpose = \"api\"")).empty());
    CHECK(linted(allow("a", hosts("\"*.b.test\"") + "\nexpires = 2027-01-01T00:00:00Z") + allow("b", hosts("\"a.b.test\""))).empty());
}

TEST_CASE("a host that never opens is warned of")
{
    CHECK(says(linted(allow("a", hosts("\"a.b.test\"")) + "[[deny]]\nname = \"d\"\nhosts = [\"**.test.test\", \"*.b.test\"]\n"), "8:10",
               "never opens: 'd' (line 11) denies it"));
    CHECK(says(linted(allow("a", hosts("\"a.b.test\"")) +
                      "[[private_link]]\nname = \"p\"\nhosts = [\"a.b.test\"]\nwithin = [\"10.0.0.0/8\"]\n" + std::string{by}),
               "8:10", "'p' (line 11) makes it a private link"));
    CHECK(linted(allow("a", hosts("\"a.b.test\"")) + "[[deny]]\nname = \"d\"\nhosts = [\"a.b.test\"]\nports = [80]\n").empty());
}

TEST_CASE("groups that nobody uses, or that lie in each other, are warned of")
{
    const std::string two = "[groups.eval]\nsources = [\"10.43.0.0/16\"]\n",
                      inner = "[groups.eval]\nsources = [\"10.42.7.0/24\", \"fd00::/64\"]\n";
    const auto mine = allow("a", hosts("\"a.b\"") + "\ngroups = [\"training\"]");
    CHECK(says(linted(two + mine), "4:1", "no entry is for group 'eval'"));
    CHECK(says(linted("[groups.eval]\nsources = [\"0.0.0.0/0\"]\n" + allow("a", hosts("\"a.b\""))), "4:1",
               "anybody who reaches the proxy is in group 'eval': 0.0.0.0/0 takes in every"));
    CHECK(linted(two + allow("a", hosts("\"a.b\""))).empty());
    CHECK(
        says(linted(inner + allow("a", hosts("\"a.b\""))), "4:1", "10.42.7.0/24 of group 'eval' lies in 10.42.0.0/16 of group 'training'"));
}

TEST_CASE("shared hosts, addresses and public private links are warned of")
{
    CHECK(says(linted(allow("a", hosts("\"s3.amazonaws.com\""))), "8:10", "many tenants share s3.amazonaws.com (storage)"));
    CHECK(linted(allow("a", hosts("\"s3.amazonaws.com\"") + "\nshared_suffix = \"ours alone\"")).empty());
    CHECK(says(linted(allow("a", hosts("\"9.9.9.9\"") + "\nprotocol = \"tcp\"\nports = [22]")), "8:10",
               "what answers there can change unseen"));
    const auto link = [](std::string more) {
        return "[[private_link]]\nname = \"p\"\nhosts = [\"l.test\"]\n" + more + "\n" + std::string{by};
    };
    CHECK(says(linted(link("within = [\"8.8.8.0/24\"]")), "7:10", "8.8.8.0/24 of 'p' is public"));
    CHECK(says(linted(link("addresses = [\"8.8.8.8\"]")), "7:13", "8.8.8.8 of 'p' is public"));
    CHECK(linted(link("within = [\"10.20.0.0/16\"]")).empty());
}

TEST_CASE("an A-label that looks like another host of the list is warned of")
{
    // Cyrillic a, decoded: p-a-ypal
    CHECK(says(linted(allow("a", hosts("\"paypal.test\", \"xn--pypal-4ve.test\""))), "8:25", "looks like paypal.test (line 8)"));
    CHECK(linted(allow("a", hosts("\"paypal.test\", \"xn--bcher-kva.test\""))).empty());
    CHECK(says(linted(allow("a", hosts("\"bucher.test\", \"xn--bcher-kva.test\""))), "8:25", "looks like bucher.test"));
    CHECK(says(linted(allow("a", hosts("\"xn--0000000000.test\""))), "8:10", "decodes to nothing"));
}

TEST_CASE("report mode is warned of by check")
{
    const temporary_directory d;
    label_registry labels;
    const auto path = d.write("allowlist.toml", "mode = \"report\"\nreport_until = 2026-06-05T00:00:00Z\n" + std::string{least} +
                                                    allow("a", hosts("\"a.b\"")));
    const auto checked = load_allowlist(path, labels, testing::now, ops::scrutiny::lint);
    REQUIRE(checked.problems.size() == 1);
    CHECK(checked.problems[0].text.find("until 2026-06-05T00:00:00Z what no entry names passes too") != std::string::npos);
    CHECK(load_allowlist(path, labels, testing::now).problems.empty());
}
