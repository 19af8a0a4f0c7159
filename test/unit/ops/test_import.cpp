#include "small_allowlist.hpp"

#include <ops/offline/import_smokescreen.hpp>
#include <ops/offline/import_squid.hpp>
#include <ops/offline/yaml_tree.hpp>
#include <ops/policy/host_overlap.hpp>

#include <algorithm>

using namespace exeat;
using namespace exeat::testing;

namespace {

struct imported {
    std::string toml;
    std::vector<ops::problem> problems;
    bool readable = true;

    bool says(ops::problem::weight how, unsigned line, std::string_view text) const
    {
        return std::any_of(problems.begin(), problems.end(), [&](const ops::problem& p) {
            return p.how == how && p.line == line && p.text.find(text) != p.text.npos && p.text.find_first_of(";,:") != p.text.npos;
        });
    }
    bool lost(unsigned line, std::string_view text) const { return says(ops::problem::weight::error, line, text); }
    bool known(unsigned line, std::string_view text) const { return says(ops::problem::weight::warning, line, text); }
};

ops::import_wishes wishes()
{
    ops::import_wishes w;
    w.from = "acl.yaml";
    w.tls_ports = {443};
    w.sources["training"] = {*ip_prefix::parse("10.42.0.0/16")};
    w.sources["web"] = {*ip_prefix::parse("10.43.0.0/16")};
    w.sources["default"] = {*ip_prefix::parse("10.44.0.0/16")};
    return w;
}

imported import(const std::string& yaml, const ops::import_wishes& w = wishes())
{
    imported out;
    ops::diagnostics wrong{"acl.yaml"};
    const auto list = ops::import_smokescreen("version: v1\n" + yaml, w, wrong);
    wrong.move_to(out.problems);
    out.readable = list.has_value();
    if (list) out.toml = to_toml(*list, w, out.problems);
    return out;
}

// The list that is made loads, and decides like the ACL.
std::shared_ptr<const policy> rules_of(const imported& i)
{
    const auto loaded = load(i.toml);
    INFO(i.toml);
    INFO(text_of(loaded.problems));
    REQUIRE(loaded.rules);
    return loaded.rules;
}

bool open_to(const policy& p, std::string_view source, std::string_view host)
{
    return said(p, std::string{host} + ":443", approach::tunnel, source) == verdict::allowed;
}

constexpr std::string_view training = "10.42.0.1", web = "10.43.0.1", other = "10.44.0.1";

} // namespace

TEST_CASE("an ACL's roles become groups, and each may reach what it could reach")
{
    const auto got = import("services:\n"
                            "  - name: training\n    project: ml\n    action: enforce\n    allowed_domains: [a.test, '*.b.test']\n"
                            "  - {name: web, project: pay, action: enforce, allowed_domains: [c.test]}\n"
                            "default: {project: misc, action: enforce, allowed_domains: [d.test]}\n"
                            "global_allow_list: [e.test]\n");
    CHECK(got.problems.empty());
    const auto rules = rules_of(got);
    CHECK(open_to(*rules, training, "a.test"));
    CHECK(open_to(*rules, training, "x.y.b.test"));
    CHECK_FALSE(open_to(*rules, training, "b.test"));
    CHECK_FALSE(open_to(*rules, training, "c.test"));
    CHECK(open_to(*rules, web, "c.test"));
    CHECK(open_to(*rules, other, "d.test"));
    CHECK_FALSE(open_to(*rules, web, "d.test"));
    for (const auto who : {training, web, other}) CHECK(open_to(*rules, who, "e.test"));
    CHECK_FALSE(open_to(*rules, "10.45.0.1", "e.test"));
    CHECK(got.toml.find("owner = \"ml\"") != got.toml.npos);
    CHECK(got.toml.find("reason = \"service training of acl.yaml\"") != got.toml.npos);
}

TEST_CASE("the global deny list closes what the global allow list opens, but not what a role names itself")
{
    const auto got = import("services:\n"
                            "  - {name: training, action: enforce, allowed_domains: [bad.test, '*.worse.test']}\n"
                            "  - {name: web, action: enforce, allowed_domains: [c.test]}\n"
                            "global_allow_list: ['*.wide.test', both.test]\n"
                            "global_deny_list: [bad.test, x.worse.test, y.wide.test, both.test]\n");
    CHECK(got.known(5, "both.test is on global_deny_list too (line 6)"));
    CHECK(got.problems.size() == 1);
    const auto rules = rules_of(got);
    CHECK(open_to(*rules, training, "bad.test"));
    CHECK(open_to(*rules, training, "x.worse.test"));
    CHECK_FALSE(open_to(*rules, web, "bad.test"));
    for (const auto who : {training, web}) {
        CHECK(open_to(*rules, who, "x.wide.test"));
        CHECK_FALSE(open_to(*rules, who, "y.wide.test"));
        CHECK_FALSE(open_to(*rules, who, "both.test"));
    }
}

TEST_CASE("where only a deny can keep the global allow list in its bounds, what a role loses by it is named")
{
    const auto got = import("services:\n  - {name: training, action: enforce, allowed_domains: [x.wide.test]}\n"
                            "global_allow_list: ['*.wide.test']\nglobal_deny_list: ['x.wide.test']\n");
    CHECK(got.lost(3, "x.wide.test is open to 'training' there; here x.wide.test of global_deny_list (line 5) closes"));
    CHECK_FALSE(open_to(*rules_of(got), training, "x.wide.test"));
}

TEST_CASE("a role that could go everywhere may go where its list says, and that is named as a loss")
{
    const auto got = import("services:\n  - {name: training, action: open}\n  - {name: web, action: report, allowed_domains: [c.test]}\n");
    CHECK(got.lost(3, "action open of service 'training'"));
    CHECK(got.lost(4, "action report of service 'web'"));
    const auto rules = rules_of(got);
    CHECK(open_to(*rules, web, "c.test"));
    CHECK_FALSE(open_to(*rules, training, "c.test"));
    auto w = wishes();
    w.report_until = testing::now + std::chrono::days{14};
    const auto reported = import("services:\n  - {name: training, action: open}\n  - {name: web, action: report}\n", w);
    CHECK(reported.lost(3, "action open"));
    CHECK(reported.known(4, "action report of service 'web' holds until 2026-06-15T00:00:00Z"));
    CHECK(open_to(*rules_of(reported), web, "anything.test"));
    CHECK_FALSE(open_to(*rules_of(reported), training, "anything.test"));
}

TEST_CASE("what an ACL says and an allowlist cannot is named where it stands, and the rest is carried over")
{
    const std::pair<std::string_view, std::string_view> cases[] = {
        {"allowed_domains: ['*']", "'*' is not a host"},
        {"allowed_domains: ['api.*.test']", "only wildcard"},
        {"allowed_domains: ['**.a.test']", "'**.a.test' is not a host"},
        {"allowed_domains: ['*.com']", "takes in everybody"},
        {"allowed_domains: ['*.s3.amazonaws.com']", "every tenant's host"},
        {"allowed_domains: [10.0.0.1]", "private_use"},
        {"allowed_domains: [8.8.8.8]", "TLS clients send no server name"},
        {"allowed_domains: ['a.test:8443']", "the port in 'ports'"},
        {"allowed_domains: a.test", "must be a list, not text; write - 'a.test'"},
        {"allowed_domains: [[a.test]]", "this is a list"},
        {"allowed_domains: {a: b}", "must be a list, not a table"},
        {"allowed_external_proxies: [p.test]", "'allowed_external_proxies' has no counterpart"},
        {"mitm_domains: [{domain: ok.test}]", "'mitm_domains' has no counterpart"},
        {"denied_domains: [x.test]", "'denied_domains' in service 'web' is not a key"},
        {"alowed_domains: [x.test]", "did you mean 'allowed_domains'?"},
        {"name: again", "'name' is in line 4 too"},
        {"action: [open]", "'action' must be text, not a list"},
        {"project: \"a\\nb\"", "'project' is not one line"},
    };
    for (const auto& [line, text] : cases) {
        const auto action = line.starts_with("action") ? "" : "    action: enforce\n";
        const auto got = import("services:\n  - {name: training, action: enforce, allowed_domains: [ok.test]}\n  - name: web\n" +
                                std::string{action} + "    " + std::string{line} + "\n");
        INFO(line);
        INFO(text_of(got.problems));
        CHECK(got.lost(*action ? 6 : 5, text));
        CHECK(open_to(*rules_of(got), training, "ok.test"));
    }
}

TEST_CASE("what is no ACL is refused with its place, whatever it is")
{
    const std::pair<std::string_view, unsigned> cases[] = {
        {"version: v2\n", 1}, {"services: []\n", 1}, {"[a, b]\n", 1},     {"", 0}, {"a: [\n", 2}, {"\tversion: v1\n", 1},
        {"*a\n", 1},          {"a: &b [*b]\n", 1},   {"\xff\xfev\x01", 1}};
    for (const auto& [text, line] : cases) {
        ops::diagnostics wrong{"acl.yaml"};
        std::vector<ops::problem> problems;
        INFO(text);
        CHECK_FALSE(ops::import_smokescreen(std::string{text}, wishes(), wrong).has_value());
        wrong.move_to(problems);
        REQUIRE(!problems.empty());
        CHECK(problems.front().line == line);
        CHECK(problems.front().text.find(';') != std::string::npos);
    }
}

TEST_CASE("a role whose networks nobody gave is a group that nobody is in")
{
    auto w = wishes();
    w.sources.clear();
    const auto got = import("services:\n  - {name: Web Hooks, action: enforce, allowed_domains: [c.test]}\n", w);
    CHECK(got.known(3, "write the sources of [groups.web-hooks], or import with --sources web-hooks=NETWORK"));
    const auto rules = rules_of(got);
    for (const auto who : {"0.0.0.1", "10.42.0.1", "127.0.0.1"}) CHECK_FALSE(open_to(*rules, who, "c.test"));
}

TEST_CASE("names that differ only by what a label cannot have stay two")
{
    const auto got =
        import("services:\n  - {name: a b, action: enforce, allowed_domains: [c.test]}\n"
               "  - {name: a-b, action: enforce, allowed_domains: [d.test]}\n  - {name: ÄÖ, action: enforce, allowed_domains: [e.test]}\n");
    for (const auto name : {"name = \"a-b\"", "name = \"a-b-2\"", "name = \"unnamed\""}) CHECK(got.toml.find(name) != got.toml.npos);
    CHECK(rules_of(got)->groups().size() == 3);
}

TEST_CASE("anchors, aliases and merge keys are read as if they were written out")
{
    const auto got = import("x-base: &base {action: enforce, project: ml, allowed_domains: &hosts [a.test]}\n"
                            "services:\n  - {name: training, <<: *base}\n  - {name: web, action: enforce, allowed_domains: *hosts}\n");
    CHECK(got.problems.empty());
    const auto rules = rules_of(got);
    CHECK(open_to(*rules, training, "a.test"));
    CHECK(open_to(*rules, web, "a.test"));
}

TEST_CASE("a YAML file has so many values, those of aliases counted, and so much depth")
{
    const auto read = [](const std::string& text) {
        ops::diagnostics wrong{"acl.yaml"};
        return ops::parse_yaml(text, wrong).has_value();
    };
    const auto list = [](std::size_t n) {
        std::string out = "[";
        for (std::size_t i = 0; i < n; ++i) out += "a,";
        return out + "]";
    };
    CHECK(read(list((limits::yaml_nodes - 2) / 2)));
    CHECK_FALSE(read(list((limits::yaml_nodes - 2) / 2 + 1)));
    const auto nested = [](std::size_t n) { return std::string(n, '[') + std::string(n, ']'); };
    CHECK(read(nested(limits::yaml_depth)));
    CHECK_FALSE(read(nested(limits::yaml_depth + 1)));
    CHECK_FALSE(read(nested(100'000)));
    std::string bomb = "a0: &a0 {k: v, l: w}\n"; // each level merges the one before many times
    for (int i = 1; i < 20; ++i) {
        bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " {<<: [";
        for (int n = 0; n < 5'000; ++n) bomb += "*a" + std::to_string(i - 1) + ",";
        bomb += "], k" + std::to_string(i) + ": v}\n";
    }
    CHECK_FALSE(read(bomb));
}

TEST_CASE("two host patterns meet where a name is taken in by both")
{
    constexpr std::string_view all[] = {"a.test", "b.a.test", "c.b.a.test", "x.test", "**.a.test", "**.b.a.test", "**.x.test"};
    constexpr std::string_view names[] = {"a.test",   "b.a.test", "c.b.a.test", "d.c.b.a.test",
                                          "z.a.test", "x.test",   "q.x.test",   "q.c.b.a.test"};
    const auto takes = [](const host_pattern& p, std::string_view name) {
        const auto base = p.base.str();
        return p.how == host_pattern::reach::exact ? base == name : name.ends_with(base) && name.size() > base.size();
    };
    for (const auto one : all)
        for (const auto two : all) {
            const auto a = *host_pattern::parse(one), b = *host_pattern::parse(two);
            const std::vector<host_pattern> just{a};
            const ops::host_overlap index{just};
            const bool meet = std::any_of(std::begin(names), std::end(names), [&](auto n) { return takes(a, n) && takes(b, n); });
            const bool cover = std::all_of(std::begin(names), std::end(names), [&](auto n) { return !takes(b, n) || takes(a, n); });
            INFO(one << " and " << two);
            CHECK((index.meets(b) == 0) == meet);
            CHECK((index.covers(b) == 0) == cover);
        }
}

TEST_CASE("a dstdomain file becomes an entry, a dot in front both the domain and what is below")
{
    const auto read = [](std::string_view text, rule_kind kind, imported& got) {
        ops::diagnostics wrong{"d.txt"};
        ops::imported_list list;
        list.groups.push_back({"training", "training", {*ip_prefix::parse("10.42.0.0/16")}, false});
        ops::import_squid(text, "d", kind, list, wrong);
        wrong.move_to(got.problems);
        got.toml = to_toml(list, wishes(), got.problems);
    };
    imported got;
    read("\xef\xbb\xbf# mine\r\n.a.test\r\n  b.test # here\n\"c.test\"\n-i\n\nB.TEST\n*.d.test\n.com\n/etc/more\nacl x dstdomain "
         ".e.test\nf.test g.test\n.",
         rule_kind::allow, got);
    const std::pair<unsigned, std::string_view> lost[] = {{8, "no '*'"},      {9, "no dot"},      {10, "another file"},
                                                          {11, "squid.conf"}, {12, "one a line"}, {13, "not a domain"}};
    for (const auto& [line, text] : lost) CHECK_MESSAGE(got.lost(line, text), text_of(got.problems));
    const auto rules = rules_of(got);
    for (const auto host : {"a.test", "x.y.a.test", "b.test", "c.test"}) CHECK(open_to(*rules, training, host));
    for (const auto host : {"x.b.test", "d.test", "f.test", "e.test"}) CHECK_FALSE(open_to(*rules, training, host));
    CHECK(std::count_if(got.problems.begin(), got.problems.end(), [](const auto& p) { return p.line < 8; }) == 0);
    imported closed;
    read(".s3.amazonaws.com\n", rule_kind::deny, closed);
    CHECK(closed.problems.empty());
    CHECK(closed.toml.find("[[deny]]\nname = \"d\"\nhosts = [\"**.s3.amazonaws.com\", \"s3.amazonaws.com\"]\n") != closed.toml.npos);
    imported nothing;
    read("# nothing\n", rule_kind::allow, nothing);
    CHECK(nothing.lost(0, "names no domain"));
}
