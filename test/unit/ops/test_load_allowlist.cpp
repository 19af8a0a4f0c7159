#include "small_allowlist.hpp"

#include "../core/repository.hpp"

using namespace exeat;
using namespace exeat::testing;

namespace {
std::vector<std::string> paths_of(const std::vector<ops::watched_file>& files)
{
    std::vector<std::string> out;
    for (const auto& f : files) out.push_back(f.path);
    return out;
}
} // namespace

TEST_CASE("every key of an entry is read into the rule")
{
    const temporary_directory d;
    d.write("names.txt", "# names\r\n\r\n  one.test  # first\r\n*.two.test\nTHREE.test.");
    label_registry labels;
    const auto path = d.write("allowlist.toml", R"(serial = 7
expires = 2027-01-01T02:00:00+02:00
mode = "enforce"
deny_help = """Ask us.
Really."""
[groups.training]
sources = ["10.42.0.0/16", "fd00:42::/64"]
identities = []
[groups.eval]
sources = ["10.43.0.1"]
[[allow]]
name = "packages"
hosts = ["PKG.Test.", "*.w.test", "**.d.test"]
hosts_file = "names.txt"
ports = [8443, 443]
groups = ["training"]
protocol = "tls"
purpose = "api"
owner = "o"
reason = "r"
ticket = "t"
expires = 2026-12-24T00:00:00Z
ech = "allow"
[[allow]]
name = "plain"
hosts = ["plain.test"]
protocol = "http"
[[private_link]]
name = "weights"
hosts = ["link.test"]
within = ["10.20.8.0/24"]
addresses = ["10.20.8.4"]
[[deny]]
name = "never"
hosts = ["no.d.test"]
)");
    const auto loaded = load_allowlist(path, labels, now);
    REQUIRE_MESSAGE(loaded.rules, text_of(loaded.problems));
    CHECK(loaded.problems.empty());
    CHECK(paths_of(loaded.files) == std::vector{path, d.path("allowlist.d/."), d.path("names.txt")});
    const auto& p = *loaded.rules;
    CHECK(p.settings().serial == 7);
    CHECK(p.settings().expires == std::chrono::sys_days{std::chrono::year{2027} / 1 / 1});
    CHECK(p.settings().deny_help == "Ask us.\nReally.");
    CHECK_FALSE(p.settings().report);
    REQUIRE(p.rules().size() == 4);
    const auto& r = p.rules()[0];
    CHECK(r.name == "packages");
    CHECK(r.kind == rule_kind::allow);
    CHECK(r.ports == std::vector<std::uint16_t>{443, 8443});
    CHECK(r.groups.count() == 1);
    CHECK(r.purpose == purpose::api);
    CHECK(r.owner + r.reason + r.ticket == "ort");
    CHECK(r.expires == std::chrono::sys_days{std::chrono::year{2026} / 12 / 24});
    CHECK(r.ech == ech_policy::allow);
    CHECK(r.file == path);
    CHECK(r.line == 11);
    CHECK(labels.rule(r.slot).name == "packages");
    CHECK(labels.group(p.groups()[0].slot) == p.groups()[0].name);
    CHECK(p.rules()[1].protocol == protocol::http);
    CHECK(p.rules()[1].ports == std::vector<std::uint16_t>{80});
    CHECK(p.rules()[2].within.size() == 1);
    CHECK(p.rules()[2].addresses.size() == 1);
    CHECK(p.rules()[2].ports == std::vector<std::uint16_t>{443});
    CHECK(p.rules()[3].ports.empty());
    for (const auto* host :
         {"pkg.test:443", "x.w.test:8443", "x.y.d.test:443", "one.test:443", "x.two.test:443", "three.test:443", "link.test:443"})
        CHECK_MESSAGE(said(p, host) == verdict::allowed, host);
    CHECK(said(p, "plain.test:80", approach::http) == verdict::allowed);
    CHECK(said(p, "no.d.test:22") == verdict::denied_by_rule);
    CHECK(said(p, "pkg.test:443", approach::tunnel, "10.43.0.1") == verdict::not_allowed);
    CHECK(said(p, "pkg.test:443", approach::tunnel, "10.44.0.1") == verdict::source_not_allowed);
}

TEST_CASE("an empty file is not a list, and a serial alone denies everything")
{
    for (const auto* empty : {"", "\n\n", "# nothing\n", "mode = \"enforce\"\n", "[groups.a]\nsources = [\"10.0.0.1\"]\n"}) {
        const auto loaded = load(empty);
        CHECK_FALSE(loaded.rules);
        check_complaint({empty, 1, 1, "write serial = N"}, loaded.problems);
    }
    const auto loaded = load("serial = 3\n");
    REQUIRE(loaded.rules);
    CHECK(loaded.problems.empty());
    CHECK(said(*loaded.rules, "pkg.test:443") == verdict::source_not_allowed);
}

TEST_CASE("what has expired is a warning, for the list denies it by itself")
{
    const auto list = load(std::string{"expires = 2026-06-01T00:00:00Z\n"} + std::string{least} + std::string{entry});
    REQUIRE(list.rules);
    REQUIRE(list.problems.size() == 1);
    CHECK(list.problems[0].how == ops::problem::weight::warning);
    CHECK(said(*list.rules, "ok.test:443") == verdict::policy_expired);
    const auto grant = load(std::string{least} + std::string{entry} + "expires = 2026-05-01T00:00:00Z\n");
    REQUIRE(grant.rules);
    CHECK(grant.problems.size() == 1);
    CHECK(said(*grant.rules, "ok.test:443") == verdict::expired);
}

TEST_CASE("a bound on a wildcard's names is warned of where there is no wildcard")
{
    const auto idle = load(std::string{least} + std::string{entry} + "names = 5\n");
    REQUIRE(idle.rules);
    CHECK(idle.rules->rules()[0].wildcard_names == 5);
    REQUIRE(idle.problems.size() == 1);
    CHECK(idle.problems[0].text.find("this entry has none") != std::string::npos);
    const auto used = load(std::string{least} + "[[allow]]\nname = \"w\"\nhosts = [\"*.w.test\"]\nnames = 10000\n");
    REQUIRE(used.rules);
    CHECK(used.problems.empty());
    CHECK(used.rules->rules()[0].wildcard_names == limits::wildcard_names_ceiling);
}

TEST_CASE("allows without any group are warned of")
{
    const auto loaded = load(entry);
    REQUIRE(loaded.rules);
    REQUIRE(loaded.problems.size() == 1);
    CHECK(loaded.problems[0].text.find("every client is refused") != std::string::npos);
}

TEST_CASE("a tunnel lives as long as its entry lets it")
{
    const auto age = [](std::string_view more) {
        const auto loaded = load(std::string{least} + std::string{entry} + std::string{more});
        REQUIRE(loaded.rules);
        return loaded.rules->rules()[0].max_age;
    };
    CHECK(age("") == limits::pull_max_age);
    CHECK(age("purpose = \"api\"\n") == std::chrono::seconds{0}); // for ever
    CHECK(age("max_age = \"90m\"\n") == std::chrono::minutes{90});
    CHECK(age("max_age = \"1m\"\n") == limits::max_age_least);
    CHECK(age("max_age = \"30d\"\n") == limits::max_age_ceiling);
}

TEST_CASE("wrong ages of a tunnel are told with their place")
{
    for (const auto* wrong : {"\"59s\"", "\"31d\"", "\"soon\"", "7"}) {
        const auto loaded = load(std::string{least} + std::string{entry} + "max_age = " + wrong + "\n");
        CHECK_FALSE(loaded.rules);
        CHECK(text_of(loaded.problems).find(":7:") != std::string::npos);
    }
}

TEST_CASE("report mode is taken up to 14 days ahead")
{
    const auto loaded = load("mode = \"report\"\nreport_until = 2026-06-15T00:00:00Z\n" + std::string{least} + std::string{entry});
    REQUIRE_MESSAGE(loaded.rules, text_of(loaded.problems));
    CHECK(said(*loaded.rules, "elsewhere.test:443") == verdict::allowed);
}

TEST_CASE("report mode whose end has passed is warned of, and enforces")
{
    const auto loaded = load("mode = \"report\"\nreport_until = 2026-06-01T00:00:00Z\n" + std::string{least} + std::string{entry});
    REQUIRE_MESSAGE(loaded.rules, text_of(loaded.problems));
    REQUIRE(loaded.problems.size() == 1);
    CHECK(loaded.problems[0].how == ops::problem::weight::warning);
    CHECK(loaded.problems[0].text.find("has passed") != std::string::npos);
    CHECK(said(*loaded.rules, "elsewhere.test:443") == verdict::not_allowed);
}

TEST_CASE("an allowlist that is no readable file is an error, not an exception")
{
    const temporary_directory d;
    label_registry labels;
    for (const auto& path : {d.path("absent.toml"), d.path("")}) {
        const auto loaded = load_allowlist(path, labels, now);
        CHECK_FALSE(loaded.rules);
        CHECK(paths_of(loaded.files) == std::vector{path});
        CHECK(loaded.problems.size() == 1);
    }
    CHECK(load(std::string(limits::allowlist_bytes + 1, '\n')).problems[0].text.find("larger than 16 MiB") != std::string::npos);
    CHECK(load("serial = 1 # \xff\n").problems[0].text.find("save the file as UTF-8") != std::string::npos);
    CHECK(load(std::string("serial = 1\n\0", 12)).problems[0].text.find("NUL") != std::string::npos);
}

TEST_CASE("every prefix of a good list is refused or denies what the whole denies")
{
    const std::string whole = std::string{least} + std::string{entry} + "[[deny]]\nname = \"d\"\nhosts = [\"**.test\"]\n";
    for (std::size_t n = 0; n < whole.size(); ++n) {
        const auto loaded = load(whole.substr(0, n));
        if (loaded.rules) CHECK(said(*loaded.rules, "no.example:443") != verdict::allowed);
    }
}

TEST_CASE("the digest is that of the bytes, and of the bytes of every hosts_file")
{
    const temporary_directory d;
    label_registry labels;
    const auto digest = [&](std::string_view text) {
        const auto loaded = load_allowlist(d.write("allowlist.toml", text), labels, now);
        REQUIRE_MESSAGE(loaded.rules, text_of(loaded.problems));
        return loaded.rules->settings().sha256;
    };
    CHECK(digest("serial = 1\n") == "b3dbd5aee8fdb99d3feaab96088f7e99e89d6ce663ad3f95f169f641e5895fae");
    const auto with_file = std::string{least} + "[[allow]]\nname = \"a\"\nhosts_file = \"names.txt\"\n";
    d.write("names.txt", "a.b\n");
    const auto one = digest(with_file);
    d.write("names.txt", "a.c\n");
    CHECK(one.size() == 64);
    CHECK(digest(with_file) != one);
    d.write("names.txt", "a.b\n");
    CHECK(digest(with_file) == one);
}

TEST_CASE("a list that is refused uses up no slot, and a reload keeps those given out")
{
    const temporary_directory d;
    label_registry labels;
    const auto path = d.write("allowlist.toml", std::string{least} + "[[allow]]\nname = \"bad\"\nhosts = [\"*\"]\n");
    REQUIRE_FALSE(load_allowlist(path, labels, now).rules);
    CHECK(labels.rules().size() == 2);
    CHECK(labels.groups().size() == 1);
    d.write("allowlist.toml", std::string{least} + std::string{entry});
    const auto first = load_allowlist(path, labels, now);
    d.write("allowlist.toml", std::string{least} + "[[allow]]\nname = \"new\"\nhosts = [\"new.test\"]\n" + std::string{entry});
    const auto second = load_allowlist(path, labels, now);
    REQUIRE(first.rules);
    REQUIRE(second.rules);
    CHECK(second.rules->rules()[1].slot == first.rules->rules()[0].slot);
    CHECK(second.rules->rules()[0].slot != first.rules->rules()[0].slot);
}

TEST_CASE("a file with thousands of mistakes tells the first thousand and counts the rest")
{
    std::string text{least};
    text += "[[allow]]\nname = \"a\"\nhosts = [";
    for (int i = 0; i < 3'000; ++i) text += "\"bad\",\n";
    const auto loaded = load(text + "]\n");
    CHECK(loaded.problems.size() == limits::problems + 1);
    CHECK(loaded.problems.back().text.find("2000 more problems") != std::string::npos);
}

TEST_CASE("the example that we ship loads, and its tests pass")
{
    label_registry labels;
    const auto loaded = load_allowlist((test::repository() / "conf/allowlist.toml").string(), labels, now);
    CHECK_MESSAGE(loaded.rules, text_of(loaded.problems));
    CHECK(loaded.problems.empty());
    CHECK(loaded.expectations.size() >= 5);
}
