#include "bad_snippet.hpp"
#include "temporary_directory.hpp"

#include <exeat/limits.hpp>
#include <ops/load_allowlist.hpp>

#include <sys/stat.h>

using namespace exeat;
using namespace std::chrono_literals;
using ops::label_registry;
using ops::load_allowlist;

namespace {

constexpr wall_time now = std::chrono::sys_days{std::chrono::year{2026} / 6 / 1};

constexpr std::string_view least = "serial = 1\n[groups.training]\nsources = [\"10.42.0.0/16\"]\n";
constexpr std::string_view entry = "[[allow]]\nname = \"a\"\nhosts = [\"ok.test\"]\n"; // 3 lines

std::string text_of(const std::vector<ops::problem>& all)
{
    std::string out;
    for (const auto& p : all) out += p.to_string() + "\n";
    return out;
}

ops::loaded_allowlist load(std::string_view text)
{
    const temporary_directory d;
    label_registry labels;
    return load_allowlist(d.write("allowlist.toml", text), labels, now);
}

verdict said(const policy& p, std::string_view authority, approach via = approach::tunnel, std::string_view source = "10.42.1.1")
{
    client who{*ip_address::parse(source), 0, {}};
    who.groups = p.groups_of(who.source);
    const auto to = parse_authority(authority, via);
    REQUIRE(to.has_value());
    return decide(who, *to, p, now).said;
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
hosts = ["PyPI.org.", "*.w.test", "**.d.test"]
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
    CHECK(loaded.files == std::vector{path, d.path("names.txt")});
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
    CHECK(r.ech);
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
         {"pypi.org:443", "x.w.test:8443", "x.y.d.test:443", "one.test:443", "x.two.test:443", "three.test:443", "link.test:443"})
        CHECK_MESSAGE(said(p, host) == verdict::allowed, host);
    CHECK(said(p, "plain.test:80", approach::http) == verdict::allowed);
    CHECK(said(p, "no.d.test:22") == verdict::denied_by_rule);
    CHECK(said(p, "pypi.org:443", approach::tunnel, "10.43.0.1") == verdict::not_allowed);
    CHECK(said(p, "pypi.org:443", approach::tunnel, "10.44.0.1") == verdict::source_not_allowed);
}

TEST_CASE("every wrong allowlist is an error with its line, its column and a mend")
{
    // each follows `least`, so its own lines start at 4
    constexpr bad_snippet snippets[] = {
        {"[[alow]]", 4, 3, "unknown key 'alow' at the top level; did you mean 'allow'?"},
        {"[allow]\nname = \"a\"", 4, 1, "'allow' is a table; write [[allow]] in double brackets"},
        {"[[allow]]\nname = \"a\"\nhosts = [\"a.b\"]\nprots = [443]", 7, 1, "unknown key 'prots' in [[allow]]; did you mean 'ports'?"},
        {"[[allow]]\nhosts = [\"a.b\"]", 4, 1, "'name' is missing in [[allow]]; add name"},
        {"[[allow]]\nname = \"a\"", 4, 1, "names no host; add hosts"},
        {"[[allow]]\nname = \"a\"\nhosts = []", 6, 9, "'hosts' is empty"},
        {"[[allow]]\nname = \"a\"\nhosts = \"a.b\"", 6, 9, "must be a list of text, not text"},
        {"[[allow]]\nname = \"a\"\nhosts = [\"a.b\", 7]", 6, 17, "this is a whole number"},
        {"[[allow]]\nname = \"A\"\nhosts = [\"a.b\"]", 5, 8, "cannot be a name"},
        {"[[allow]]\nname = \"_other\"\nhosts = [\"a.b\"]", 5, 8, "cannot be a name"},
        {"[[allow]]\nname = \"a b\"", 5, 8, "cannot be a name"},
        {"[[allow]]\nname = \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"", 5, 8, "cannot be a name"},
        {"[[allow]]\nname = \"a\"\nhosts = [\"a.b\"]\n[[deny]]\nname = \"a\"\nhosts = [\"c.d\"]", 8, 8, "taken by the entry in line 4"},
        {"[[allow]]\nname = \"a\"\nname = \"b\"", 6, 8, "keep only one"},
        {"[[allow]]\nhosts = [\"\"]", 5, 10, "it is empty"},
        {"[[allow]]\nhosts = [\"https://pypi.org\"]", 5, 10, "that is a URL"},
        {"[[allow]]\nhosts = [\"pypi.org/simple\"]", 5, 10, "that is a path"},
        {"[[allow]]\nhosts = [\"10.0.0.0/8\"]", 5, 10, "a path or a network"},
        {"[[allow]]\nhosts = [\"pypi.org:443\"]", 5, 10, "the port in 'ports'"},
        {"[[allow]]\nhosts = [\"b\\u00fccher.example\"]", 5, 10, "A-label"},
        {"[[allow]]\nhosts = [\"a b.test\"]", 5, 10, "only ASCII without spaces"},
        {"[[allow]]\nhosts = [\"a.b\\u0000.test\"]", 5, 10, "'a.b\\x00.test' is no host"},
        {"[[allow]]\nhosts = [\"localhost\"]", 5, 10, "it has no dot"},
        {"[[allow]]\nhosts = [\"*.com\"]", 5, 10, "takes in everybody"},
        {"[[allow]]\nhosts = [\"**.com\"]", 5, 10, "takes in everybody"},
        {"[[allow]]\nhosts = [\"*\"]", 5, 10, "only wildcard"},
        {"[[allow]]\nhosts = [\"a*.test.com\"]", 5, 10, "only wildcard"},
        {"[[allow]]\nhosts = [\"*.192.0.2.1\"]", 5, 10, "an address has no wildcard"},
        {"[[allow]]\nhosts = [\"a..b\"]", 5, 10, "is no host"},
        {"[[allow]]\nhosts = [\"8.8.8.8\"]", 5, 10, "TLS clients send no server name"},
        {"[[allow]]\nprotocol = \"tcp\"\nports = [22]\nhosts = [\"10.0.0.1\"]", 7, 10, "use a [[private_link]]"},
        {"[[allow]]\nprotocol = \"tcp\"\nports = [22]\nhosts = [\"169.254.169.254\"]", 7, 10, "is metadata"},
        {"[[private_link]]\nprotocol = \"tcp\"\nports = [22]\nhosts = [\"169.254.169.254\"]", 7, 10, "is metadata"},
        {"[[allow]]\nprotocol = \"tcp\"\nports = [22]\nhosts = [\"*.a.b\"]", 7, 10, "raw TCP shows no name"},
        {"[[allow]]\nname = \"a\"\nprotocol = \"tcp\"\nhosts = [\"a.b\"]", 4, 1, "has no usual port; add ports = [22]"},
        {"[[allow]]\nprotocol = \"https\"", 5, 12, "'tls', 'http' or 'tcp', not 'https'; did you mean 'http'?"},
        {"[[allow]]\npurpose = \"fetch\"", 5, 11, "'pull', 'api', 'telemetry' or 'push'"},
        {"[[allow]]\nech = true", 5, 7, "must be text, not true or false"},
        {"[[allow]]\nprotocol = \"http\"\nech = \"allow\"", 6, 7, "'ech' is for"},
        {"[[allow]]\nports = []", 5, 9, "'ports' is empty"},
        {"[[allow]]\nports = 443", 5, 9, "must be a list of port numbers"},
        {"[[allow]]\nports = [0]", 5, 10, "no port number"},
        {"[[allow]]\nports = [443, 65536]", 5, 15, "no port number"},
        {"[[allow]]\nports = [\"443\"]", 5, 10, "no port number"},
        {"[[allow]]\nports = [443, 443]", 5, 15, "stands here twice"},
        {"[[allow]]\ngroups = []", 5, 10, "'groups' is empty"},
        {"[[allow]]\ngroups = [\"trainig\"]", 5, 11, "there is no group 'trainig'; did you mean 'training'?"},
        {"[[allow]]\ngroups = [\"batch\"]", 5, 11, "add [groups."},
        {"[[allow]]\nexpires = 2026-12-24T00:00:00", 5, 11, "write it with a Z"},
        {"[[allow]]\nexpires = 2026-12-24", 5, 11, "must be a date and time, not a date without a time"},
        {"[[allow]]\nexpires = \"2026-12-24T00:00:00Z\"", 5, 11, "must be a date and time, not text"},
        {"[[allow]]\nupload = \"50 MiB/1h\"", 5, 10, "'upload' is not enforced by this version; remove it"},
        {"[[allow]]\nupload = \"50 MB\"", 5, 10, "no budget"},
        {"[[allow]]\nupload = 50", 5, 10, "must be text"},
        {"[[allow]]\non_budget = \"cut\"", 5, 13, "not enforced by this version; remove it"},
        {"[[allow]]\nshared_suffix = \"why\"", 5, 17, "not enforced by this version; remove it"},
        {"[[allow]]\nowner = \"a\\nb\"", 5, 9, "control character"},
        {"[[allow]]\nreason = \"\"", 5, 10, "is empty"},
        {"[[allow]]\nwithin = [\"10.0.0.0/8\"]", 5, 1, "unknown key 'within' in [[allow]]"},
        {"[[allow]]\nhosts_file = \"/etc/passwd\"", 5, 14, "leads out of the allowlist's directory"},
        {"[[allow]]\nhosts_file = \"../names.txt\"", 5, 14, "leads out of the allowlist's directory"},
        {"[[allow]]\nhosts_file = \"a/../../names.txt\"", 5, 14, "leads out of the allowlist's directory"},
        {"[[private_link]]\nname = \"l\"\nhosts = [\"a.b\"]", 4, 1, "neither 'within' nor 'addresses'"},
        {"[[private_link]]\nwithin = []", 5, 10, "'within' is empty"},
        {"[[private_link]]\nwithin = [\"10.0.0.1/8\"]", 5, 11, "no network"},
        {"[[private_link]]\nwithin = [\"127.0.0.0/8\"]", 5, 11, "pin single loopback addresses"},
        {"[[private_link]]\nwithin = [\"::1\"]", 5, 11, "pin single loopback addresses"},
        {"[[private_link]]\nwithin = [\"169.254.0.0/16\"]", 5, 11, "which no entry opens"},
        {"[[private_link]]\nwithin = [\"0.0.0.0/0\"]", 5, 11, "takes in"},
        {"[[private_link]]\nwithin = [\"224.0.0.0/4\"]", 5, 11, "which no entry opens"},
        {"[[private_link]]\nwithin = [\"::/0\"]", 5, 11, "takes in every IPv4 address too"},
        {"[[private_link]]\naddresses = [\"169.254.169.254\"]", 5, 14, "is metadata, which no entry opens"},
        {"[[private_link]]\naddresses = [\"fe80::1\"]", 5, 14, "is link_local, which no entry opens"},
        {"[[private_link]]\naddresses = [\"0.0.0.0\"]", 5, 14, "is unspecified, which no entry opens"},
        {"[[private_link]]\naddresses = [\"10.0.0.0/8\"]", 5, 14, "no address"},
        {"[[private_link]]\nwithin = [\"10.0.0.0/8\"]\naddresses = [\"192.168.0.1\"]", 6, 14, "does not lie in 'within'"},
        {"[[deny]]\nprotocol = \"tls\"", 5, 1, "unknown key 'protocol' in [[deny]]"},
        {"[[deny]]\nexpires = 2026-12-24T00:00:00Z", 5, 1, "unknown key 'expires' in [[deny]]"},
        {"[groups.eval]", 4, 1, "'sources' is missing in [groups.eval]"},
        {"[groups.eval]\nsources = []", 5, 11, "'sources' is empty"},
        {"[groups.eval]\nsources = [\"10.42.0.1/16\"]", 5, 12, "host bits zero"},
        {"[groups.eval]\nsources = [\"::/0\"]", 5, 12, "takes in every IPv4 address too"},
        {"[groups.eval]\nsources = [\"pod\"]", 5, 12, "no network"},
        {"[groups.eval]\nsources = [\"10.0.0.1\"]\nidentities = [\"spiffe://x/y\"]", 6, 14, "not enforced by this version"},
        {"[groups.Eval]\nsources = [\"10.0.0.1\"]", 4, 9, "cannot be a group's name"},
        {"[groups.training]", 4, 1, "keep only one"},
        {"[defaults]\nupload = \"10 GiB/24h\"", 5, 10, "not enforced by this version; remove it"},
        {"[defaults]\nports = [443]", 5, 1, "unknown key 'ports' in [defaults]"},
        {"[[expect]]\nclient = \"10.42.0.1\"\ntarget = \"ok.test:443\"", 4, 1, "'verdict' is missing in [[expect]]"},
        {"[[expect]]\nverdict = \"alow\"", 5, 11, "did you mean 'allow'?"},
        {"[[expect]]\nverdict = \"addr_class\"", 5, 11, "must be"},
        {"[[expect]]\nclient = \"pod-1\"", 5, 10, "no address"},
        {"[[allow]\n", 4, 9, "mend the syntax"},
        {"[[allow]]\nname = a", 5, 8, ""},
        {"[[allow]]\nhosts = [\"a.b\"", 5, 16, "may be cut off"},
    };
    static_assert(std::size(snippets) >= 60);
    for (const auto& bad : snippets) {
        const auto loaded = load(std::string{least} + std::string{bad.text} + "\n");
        CHECK_FALSE(loaded.rules);
        check_complaint(bad, loaded.problems);
    }
}

TEST_CASE("wrong settings at the top are errors at their place")
{
    constexpr bad_snippet snippets[] = {
        {"serial = -1", 1, 10, "from 0 to"},
        {"serial = \"1\"", 1, 10, "must be a whole number"},
        {"serail = 1", 1, 1, "did you mean 'serial'?"},
        {"serial = 1\nmode = \"reprot\"", 2, 8, "did you mean 'report'?"},
        {"serial = 1\nmode = \"report\"", 2, 8, "add report_until"},
        {"serial = 1\nmode = \"report\"\nreport_until = 2026-06-15T00:00:01Z", 3, 16, "more than 14 days ahead"},
        {"serial = 1\nmode = \"report\"\nreport_until = 2026-06-01T00:00:00Z", 3, 16, "has passed"},
        {"serial = 1\nexpires = 2026-12-24T00:00:00", 2, 11, "write it with a Z"},
        {"serial = 1\ndeny_help = \"\\u001b[31m\"", 2, 13, "control character"},
        {"serial = 1\ngroups = 3", 2, 10, "must be a table"},
        {"serial = 1\nallow = [1]", 2, 10, "write [[allow]]"},
        {"[groups]\ntraining = 3", 2, 1, "a group is a table"},
    };
    for (const auto& bad : snippets) {
        const auto loaded = load(bad.text);
        CHECK_FALSE(loaded.rules);
        check_complaint(bad, loaded.problems);
    }
}

TEST_CASE("an empty file is no list, and a serial alone denies everything")
{
    for (const auto* empty : {"", "\n\n", "# nothing\n", "mode = \"enforce\"\n", "[groups.a]\nsources = [\"10.0.0.1\"]\n"}) {
        const auto loaded = load(empty);
        CHECK_FALSE(loaded.rules);
        check_complaint({empty, 1, 1, "write serial = N"}, loaded.problems);
    }
    const auto loaded = load("serial = 3\n");
    REQUIRE(loaded.rules);
    CHECK(loaded.problems.empty());
    CHECK(said(*loaded.rules, "pypi.org:443") == verdict::source_not_allowed);
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

TEST_CASE("allows without any group are warned of")
{
    const auto loaded = load(entry);
    REQUIRE(loaded.rules);
    REQUIRE(loaded.problems.size() == 1);
    CHECK(loaded.problems[0].text.find("every client is refused") != std::string::npos);
}

TEST_CASE("report mode is taken up to 14 days ahead")
{
    const auto loaded = load("mode = \"report\"\nreport_until = 2026-06-15T00:00:00Z\n" + std::string{least} + std::string{entry});
    REQUIRE_MESSAGE(loaded.rules, text_of(loaded.problems));
    CHECK(said(*loaded.rules, "elsewhere.test:443") == verdict::allowed);
}

TEST_CASE("a list whose own tests fail does not load, and says what it expected, what it got and from which entry")
{
    const auto expect = [](std::string_view target, std::string_view verdict, std::string_view client = "10.42.0.1") {
        return std::string{least} + std::string{entry} + "[[expect]]\nclient = \"" + std::string{client} + "\"\ntarget = \"" +
               std::string{target} + "\"\nverdict = \"" + std::string{verdict} + "\"\n";
    };
    for (const auto& good :
         {expect("ok.test:443", "allow"), expect("OK.test.:443", "allow"), expect("ok.test:22", "port_not_allowed"),
          expect("http://ok.test/x", "port_not_allowed"), expect("http://ok.test:443", "protocol_not_allowed"),
          expect("no.test:443", "not_allowed"), expect("ok.test:443", "source_not_allowed", "10.0.0.1"), expect("ok.test", "host_syntax"),
          expect("evil\\u0000.ok.test:443", "host_syntax"), expect("https://ok.test", "scheme"), expect("192.0.2.1:443", "ip_literal"),
          expect("http://[2001:db8::1]", "ip_literal")}) {
        const auto loaded = load(good);
        CHECK_MESSAGE(loaded.rules, good << text_of(loaded.problems));
        CHECK(loaded.expectations == 1);
    }
    const auto failed = load(expect("ok.test:22", "allow"));
    CHECK_FALSE(failed.rules);
    check_complaint({"", 7, 1, "expected allow for 'ok.test:22' from 10.42.0.1, but it is port_not_allowed by 'a'"}, failed.problems);
    CHECK(text_of(failed.problems).find("allowlist.toml:4)") != std::string::npos);
    CHECK_FALSE(load(expect("ok.test:443", "not_allowed")).rules);
    CHECK_FALSE(load(expect("ok.test", "allow")).rules);
}

TEST_CASE("in report mode the list's tests are about what enforce would say")
{
    const std::string head = "mode = \"report\"\nreport_until = 2026-06-10T00:00:00Z\n" + std::string{least} + std::string{entry};
    const std::string test = "[[expect]]\nclient = \"10.42.0.1\"\ntarget = \"no.test:443\"\nverdict = ";
    CHECK(load(head + test + "\"not_allowed\"\n").rules);
    CHECK_FALSE(load(head + test + "\"allow\"\n").rules);
}

TEST_CASE("a test that only the expiry of its grant fails is a warning: a restart must not hang on it")
{
    const std::string test =
        "expires = 2026-05-01T00:00:00Z\n[[expect]]\nclient = \"10.42.0.1\"\ntarget = \"ok.test:443\"\nverdict = \"allow\"\n";
    const auto loaded = load(std::string{least} + std::string{entry} + test);
    CHECK_MESSAGE(loaded.rules, text_of(loaded.problems));
    CHECK(loaded.problems.size() == 2);
}

TEST_CASE("problems of a hosts_file have its own lines, twenty of them and a count of the rest")
{
    const temporary_directory d;
    label_registry labels;
    const auto path = d.write("allowlist.toml", std::string{least} + "[[allow]]\nname = \"a\"\nhosts_file = \"names.txt\"\n");
    std::string names = "ok.test\n\n# fine\n  bad host\n*.com\r\n";
    for (int i = 0; i < 30; ++i) names += "bad/" + std::to_string(i) + "\n";
    d.write("names.txt", names + "fine.test");
    const auto loaded = load_allowlist(path, labels, now);
    CHECK_FALSE(loaded.rules);
    REQUIRE(loaded.problems.size() == limits::hosts_file_problems + 1);
    CHECK(loaded.problems[0].file == d.path("names.txt"));
    CHECK(loaded.problems[0].line == 4);
    CHECK(loaded.problems[0].column == 3);
    CHECK(loaded.problems[1].line == 5);
    CHECK(loaded.problems.back().text.find("12 more problems") != std::string::npos);
}

TEST_CASE("a hosts_file reads the same wherever its lines fall among the blocks")
{
    const temporary_directory d;
    const auto path = d.write("allowlist.toml", std::string{least} + "[[allow]]\nname = \"a\"\nhosts_file = \"names.txt\"\n");
    for (const std::size_t comment : {0u, 1u, 7u, 100u, 4'000u}) {
        std::string names;
        for (int i = 0; i < 20'000; ++i)
            names += "h" + std::to_string(i) + ".test" + (i % 50 == 0 ? " #" + std::string(comment, 'x') : "") + "\r\n";
        d.write("names.txt", names);
        label_registry labels;
        const auto loaded = load_allowlist(path, labels, now);
        REQUIRE_MESSAGE(loaded.rules, text_of(loaded.problems));
        CHECK(loaded.rules->names().names() == 20'000);
        CHECK(said(*loaded.rules, "h19999.test:443") == verdict::allowed);
    }
}

TEST_CASE("a hosts_file that cannot be a list of names is an error")
{
    const temporary_directory d;
    label_registry labels;
    const auto path = d.write("allowlist.toml", std::string{least} + "[[allow]]\nname = \"a\"\nhosts_file = \"names.txt\"\n");
    const auto complaint = [&] {
        const auto loaded = load_allowlist(path, labels, now);
        CHECK_FALSE(loaded.rules);
        CHECK(loaded.files.size() == 2); // watched all the same: it may come
        return text_of(loaded.problems);
    };
    CHECK(complaint().find("cannot open") != std::string::npos);
    d.write("names.txt", "");
    CHECK(complaint().find("names no host") != std::string::npos);
    d.write("names.txt", std::string(100'000, 'a'));
    CHECK(complaint().find("too long") != std::string::npos);
    d.write("names.txt", std::string("a.b\0c\n", 6));
    CHECK(complaint().find("names.txt:1:1") != std::string::npos);
    std::filesystem::remove(d.path("names.txt"));
    std::filesystem::create_directory(d.path("names.txt"));
    CHECK(complaint().find("is a directory") != std::string::npos);
    std::filesystem::remove(d.path("names.txt"));
    REQUIRE(mkfifo(d.path("names.txt").c_str(), 0600) == 0);
    CHECK(complaint().find("not a regular file") != std::string::npos);
}

TEST_CASE("an allowlist that is no readable file is an error, not an exception")
{
    const temporary_directory d;
    label_registry labels;
    for (const auto& path : {d.path("absent.toml"), d.path("")}) {
        const auto loaded = load_allowlist(path, labels, now);
        CHECK_FALSE(loaded.rules);
        CHECK(loaded.files == std::vector{path});
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
    const auto loaded = load_allowlist(EXEAT_CONF_DIR "/allowlist.toml", labels, now);
    CHECK_MESSAGE(loaded.rules, text_of(loaded.problems));
    CHECK(loaded.problems.empty());
    CHECK(loaded.expectations >= 5);
}
