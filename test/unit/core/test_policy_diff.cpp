#include "random_policy.hpp"

#include <algorithm>
#include <exeat/diff/policy_diff.hpp>

using namespace exeat;
using namespace exeat::testing;
using namespace std::chrono_literals;

namespace {

group in(std::string name, std::initializer_list<std::string_view> sources)
{
    group g{std::move(name), {}, 0, 0};
    for (const auto s : sources) g.sources.push_back(*ip_prefix::parse(s));
    return g;
}

// Each client class of three groups has members, in some only of two of them.
const std::vector<group> sourced{in("training", {"10.1.0.0/16", "10.9.0.0/16"}), in("eval", {"10.2.0.0/16", "10.9.0.0/16", "10.1.8.0/24"}),
                                 in("web", {"10.3.0.0/16", "10.9.3.0/24", "fd00::/8"})};
const std::vector<group> resourced{in("training", {"10.1.0.0/16"}), in("eval", {"10.2.0.0/16", "10.9.0.0/16", "10.1.8.0/24"}),
                                   in("web", {"10.3.0.0/16", "10.9.3.0/24", "fd00::/8", "10.4.0.0/16"})};
constexpr std::array some_clients{"10.1.0.1", "10.1.8.1", "10.2.0.1", "10.3.0.1",  "10.4.0.1",
                                  "10.9.0.1", "10.9.3.1", "fd00::1",  "10.200.0.1"};

client client_at(std::string_view address, const policy& p)
{
    const auto a = *ip_address::parse(address);
    return {a, 0, p.groups_of(a)};
}

bool takes(const std::string& pattern, const std::string& host)
{
    if (pattern.starts_with("**.")) return host.ends_with(pattern.substr(2));
    if (pattern.starts_with("*.")) return host.ends_with(pattern.substr(1)) && host.find('.') == host.size() - pattern.size() + 1;
    return pattern == host;
}

std::vector<std::string> groups_at(const ip_address& a, const policy& p)
{
    std::vector<std::string> out;
    const auto of = p.groups_of(a);
    for (std::size_t i = 0; i < p.groups().size(); ++i)
        if (of[i]) out.push_back(p.groups()[i].name);
    std::sort(out.begin(), out.end());
    return out;
}

constexpr std::array approaches{approach::tunnel, approach::tls, approach::http};

bool open(const policy& p, std::string_view client, const target& to) { return decide(client_at(client, p), to, p, now).allowed(); }

bool told(const policy_diff& d, change_kind what, const ip_address& from, const target& to, const policy& before, const policy& after)
{
    const auto b = groups_at(from, before), a = groups_at(from, after);
    return std::any_of(d.changes.begin(), d.changes.end(), [&](const policy_change& c) {
        const auto& who = d.clients[c.clients];
        return c.what == what && who.before == b && who.after == a && c.port == to.port && takes(c.hosts, std::string{to.host.str()});
    });
}

// A host of the kind that a change speaks of.
std::string witness(const std::string& pattern)
{
    if (pattern.starts_with("**.")) return "w.w" + pattern.substr(2);
    return pattern.starts_with("*.") ? "w" + pattern.substr(1) : pattern;
}

std::string text_of(const policy_diff& d)
{
    std::string out;
    for (const auto& c : d.changes) {
        out += std::string{to_string(c.what)} + ' ' + c.hosts + ':' + std::to_string(c.port);
        for (const auto& t : c.terms) out += ", " + t;
        out += '\n';
    }
    return out;
}

std::string difference(const std::vector<entry>& before, const std::vector<entry>& after, const std::vector<group>& groups_before = sourced,
                       const std::vector<group>& groups_after = sourced)
{
    const auto a = compiled(before, {}, groups_before), b = compiled(after, {}, groups_after);
    auto d = compare(a, b, now);
    std::erase_if(d.changes, [&](const policy_change& c) { return d.clients[c.clients].example != *ip_address::parse("10.3.0.0"); });
    return text_of(d);
}

} // namespace

TEST_CASE("nothing is told of a policy and itself, however its entries are ordered and named")
{
    auto renamed = allow("other", {"a.test", "*.b.test"});
    CHECK(difference({allow("x", {"*.b.test"}), allow("y", {"a.test"})}, {renamed}).empty());
}

TEST_CASE("a name that a wildcard had open already opens nothing")
{
    CHECK(difference({allow("x", {"*.b.test"})}, {allow("x", {"*.b.test", "a.b.test"})}).empty());
    CHECK(difference({allow("x", {"a.b.test"})}, {allow("x", {"*.b.test"})}) == "opens *.b.test:443\n");
    CHECK(difference({allow("x", {"*.b.test"})}, {allow("x", {"**.b.test"})}) == "opens **.b.test:443\n");
    CHECK(difference({allow("x", {"a.test"})}, {allow("x", {"b.test"})}) == "opens b.test:443\ncloses a.test:443\n");
}

TEST_CASE("a deny that goes opens what it held shut, one that comes closes it")
{
    const auto a = allow("x", {"**.b.test"}), d = deny("d", {"evil.b.test"});
    CHECK(difference({a, d}, {a}) == "opens evil.b.test:443\n");
    CHECK(difference({a}, {a, d}) == "closes evil.b.test:443\n");
    CHECK(difference({d}, {}).empty());
}

TEST_CASE("a network that is no longer denied opens, one that comes to be denied closes, for whom and at which port it is said")
{
    const auto a = allow("a", {"a.test"});
    const auto said = [](const policy& before, const policy& after) {
        std::vector<std::string> out;
        for (const auto& c : compare(before, after, now).changes) {
            if (c.hosts.find('.') == c.hosts.npos || c.hosts[0] > '9') continue;
            out.push_back(std::string{to_string(c.what)} + ' ' + c.hosts + ':' + std::to_string(c.port));
            for (const auto port : c.but) out.back() += '-' + std::to_string(port);
            out.back() += ' ' + (c.before != nullptr ? c.before : c.after)->name;
        }
        std::sort(out.begin(), out.end());
        out.erase(std::unique(out.begin(), out.end()), out.end()); // of each class of clients
        return out;
    };
    using texts = std::vector<std::string>;
    const auto with = [&](std::initializer_list<entry> denies) {
        std::vector<entry> all{a};
        all.insert(all.end(), denies);
        return compiled(all, {}, sourced);
    };
    const auto none = with({}), wide = with({deny("d", {"198.18.0.0/15"})}), narrow = with({deny("d", {"198.18.7.0/24"})});
    CHECK(said(none, wide) == texts{"closes 198.18.0.0/15:0 d"});
    CHECK(said(wide, none) == texts{"opens 198.18.0.0/15:0 d"});
    CHECK(said(wide, wide).empty());
    // 198.18.0.0/15 without 198.18.7.0/24: the fewest networks that are that, and no more.
    const texts around{"198.18.0.0/22", "198.18.128.0/17", "198.18.16.0/20", "198.18.32.0/19", "198.18.4.0/23",
                       "198.18.6.0/24", "198.18.64.0/18",  "198.18.8.0/21",  "198.19.0.0/16"};
    texts opened, closed;
    for (const auto& n : around) opened.push_back("opens " + n + ":0 d"), closed.push_back("closes " + n + ":0 d");
    CHECK(said(wide, narrow) == opened);
    CHECK(said(narrow, wide) == closed);
    CHECK(said(wide, with({deny("e", {"198.18.0.0/16", "198.19.0.0/16"})})).empty()); // the same addresses
    CHECK(said(none, with({deny("d", {"198.18.0.1"})})) == texts{"closes 198.18.0.1:0 d"});
    auto at_22 = deny("d", {"198.18.0.0/15"});
    at_22.value.ports = {22};
    CHECK(said(none, with({at_22})) == texts{"closes 198.18.0.0/15:22 d"});
    CHECK(said(with({at_22}), wide) == texts{"closes 198.18.0.0/15:0-22 d"});
    CHECK(said(wide, with({at_22})) == texts{"opens 198.18.0.0/15:0-22 d"});
    auto at_22_and_80 = at_22;
    at_22_and_80.value.ports = {22, 80};
    CHECK(said(with({at_22_and_80}), with({at_22})) == texts{"opens 198.18.0.0/15:80 d"});
    CHECK(said(with({deny("d", {"0.0.0.0/0"})}), with({deny("d", {"0.0.0.0/1", "128.0.0.0/2", "224.0.0.0/3"})})) ==
          texts{"opens 192.0.0.0/3:0 d"});
    CHECK(said(with({deny("d", {"255.255.255.254/31"})}), with({deny("d", {"255.255.255.254"})})) == texts{"opens 255.255.255.255:0 d"});
}

TEST_CASE("terms that get looser widen, tighter ones narrow")
{
    const auto with = [](auto change) {
        auto e = allow("x", {"*.b.test"});
        change(e.value);
        return std::vector{e};
    };
    const auto plain = with([](rule&) {}), later = with([](rule&r) { r.expires = now + 1h; }),
               ech = with([](rule&r) { r.ech = ech_policy::allow; }), grease = with([](rule&r) { r.ech = ech_policy::grease; }),
               names = with([](rule&r) { r.wildcard_names = 500; }), push = with([](rule&r) { r.purpose = purpose::push; });
    CHECK(difference(later, plain) == "widens *.b.test:443, expires later\n");
    CHECK(difference(plain, later) == "narrows *.b.test:443, expires earlier\n");
    CHECK(difference(plain, ech) == "widens *.b.test:443, ech allowed\n");
    CHECK(difference(plain, grease) == "widens *.b.test:443, ech for GREASE\n");
    CHECK(difference(ech, grease) == "narrows *.b.test:443, ech for GREASE\n");
    CHECK(difference(grease, plain) == "narrows *.b.test:443, ech denied\n");
    CHECK(difference(names, plain) == "narrows *.b.test:443, names fewer\n");
    CHECK(difference(plain, push) == "widens *.b.test:443, upload more, purpose push\n");
    const auto over = with([](rule& r) { r.expires = now; });
    CHECK(difference(over, plain) == "opens *.b.test:443\n");
}

TEST_CASE("a private link that leads elsewhere, or becomes public, widens")
{
    const auto link = [](std::vector<std::string_view> within, std::vector<std::string_view> pinned = {}) {
        auto e = linked("l", {"l.test"});
        for (const auto w : within) e.value.within.push_back(*ip_prefix::parse(w));
        for (const auto p : pinned) e.value.addresses.push_back(*ip_address::parse(p));
        return std::vector{e};
    };
    CHECK(difference(link({"10.0.0.0/24"}), link({"10.0.0.0/16"})) == "widens l.test:443, addresses others or more\n");
    CHECK(difference(link({"10.0.0.0/16"}), link({"10.0.0.0/24"})) == "narrows l.test:443, addresses fewer\n");
    CHECK(difference(link({"10.0.0.0/16"}), link({"10.0.0.0/16"}, {"10.0.0.4"})) == "narrows l.test:443, addresses fewer\n");
    CHECK(difference(link({}, {"10.0.0.4"}), link({}, {"10.0.0.5"})) == "widens l.test:443, addresses others or more\n");
    CHECK(difference(link({"10.0.0.0/16"}), {allow("l", {"l.test"})}) == "widens l.test:443, addresses public instead of private\n");
}

TEST_CASE("a client that comes to a group gets what the group may")
{
    const auto mine = [] {
        auto e = allow("x", {"a.test"});
        e.value.groups = group_set{4};
        return std::vector{e};
    }();
    const auto a = compiled(mine, {}, sourced), b = compiled(mine, {}, resourced);
    const auto d = compare(a, b, now);
    REQUIRE(d.changes.size() == 1);
    CHECK(d.changes[0].what == change_kind::opens);
    CHECK(d.clients[d.changes[0].clients].before.empty());
    CHECK(d.clients[d.changes[0].clients].after == std::vector<std::string>{"web"});
    CHECK(d.clients[d.changes[0].clients].example == *ip_address::parse("10.4.0.0"));
}

TEST_CASE("report mode is compared as if it enforced")
{
    policy_settings report;
    report.report = true;
    report.report_until = now + 24h;
    const auto a = compiled({allow("x", {"a.test"})}, {}, sourced), b = compiled({allow("x", {"a.test"})}, report, sourced);
    CHECK(compare(a, b, now).changes.empty());
}

TEST_CASE("what is told is exactly what decide says otherwise, for random policies")
{
    std::mt19937 random{2026};
    std::size_t opened = 0, closed = 0, witnessed = 0;
    for (int round = 0; round < 150; ++round) {
        std::vector<entry> before, after;
        for (std::size_t i = 0; i < 1 + random() % 5; ++i) before.push_back(random_entry(random, i));
        after = before;
        for (auto& e : after)
            if (random() % 3 == 0) e = random_entry(random, 50 + random() % 8);
        if (random() % 2 == 0) after.push_back(random_entry(random, 99));
        const auto a = compiled(before, {}, sourced), b = compiled(after, {}, random() % 3 == 0 ? resourced : sourced);
        const auto d = compare(a, b, now);

        for (int probe = 0; probe < 60; ++probe) {
            const auto t = random_target(random);
            for (const auto* from : some_clients) {
                const bool was = open(a, from, t), is = open(b, from, t);
                if (was == is) continue;
                const auto what = is ? change_kind::opens : change_kind::closes;
                INFO(text_of(d));
                REQUIRE_MESSAGE(told(d, what, *ip_address::parse(from), t, a, b), from, " ", std::string{t.host.str()}, ":", t.port);
                ++(is ? opened : closed);
            }
        }
        for (const auto& c : d.changes) {
            if (c.what != change_kind::opens && c.what != change_kind::closes) continue;
            const auto host = witness(c.hosts) + ":" + std::to_string(c.port), from = d.clients[c.clients].example.to_string();
            const bool shown = std::any_of(approaches.begin(), approaches.end(), [&](approach via) {
                const auto t = to(host, via);
                return c.what == change_kind::opens ? !open(a, from, t) && open(b, from, t) : open(a, from, t) && !open(b, from, t);
            });
            INFO(host, " from ", from);
            REQUIRE(shown);
            ++witnessed;
        }
    }
    CHECK(opened > 300);
    CHECK(closed > 300);
    CHECK(witnessed > 500);
}

TEST_CASE("names that only one of two long lists has are found among many")
{
    std::vector<std::string> many;
    for (int i = 0; i < 20'000; ++i) many.push_back("n" + std::to_string(i) + ".w.test");
    auto more = many;
    more.push_back("new.w.test");
    std::swap(more.front(), more.back());
    CHECK(difference({allow("x", many)}, {allow("x", more)}) == "opens new.w.test:443\n");
}
