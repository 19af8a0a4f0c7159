#include <doctest/doctest.h>
#include <exeat/policy.hpp>

#include <algorithm>
#include <random>

using namespace exeat;
using namespace std::chrono_literals;

namespace {

constexpr wall_time now = wall_time{1'800'000'000s};

struct entry {
    rule value;
    std::vector<std::string> hosts;
};

entry allow(std::string name, std::vector<std::string> hosts)
{
    entry e;
    e.value.name = std::move(name);
    e.value.ports = {443};
    e.hosts = std::move(hosts);
    return e;
}

entry linked(std::string name, std::vector<std::string> hosts)
{
    auto e = allow(std::move(name), std::move(hosts));
    e.value.kind = rule_kind::private_link;
    return e;
}

entry deny(std::string name, std::vector<std::string> hosts)
{
    auto e = allow(std::move(name), std::move(hosts));
    e.value.kind = rule_kind::deny;
    e.value.ports.clear();
    return e;
}

policy compiled(const std::vector<entry>& entries, policy_settings settings = {})
{
    policy_builder b{11};
    for (const auto* name : {"training", "eval", "web"}) b.add_group({name, {}, 0});
    for (const auto& e : entries) {
        const auto r = b.add_rule(e.value);
        for (const auto& h : e.hosts) {
            const auto p = host_pattern::parse(h);
            REQUIRE_MESSAGE(p.has_value(), h);
            b.add_host(r, *p);
        }
    }
    return std::move(b).finish(std::move(settings));
}

client from(std::initializer_list<std::size_t> groups)
{
    client c;
    for (const auto g : groups) c.groups.set(g);
    return c;
}

const client training = from({0});

target to(std::string_view authority, approach via = approach::tunnel)
{
    const auto t = parse_authority(authority, via);
    REQUIRE_MESSAGE(t.has_value(), authority);
    return *t;
}

verdict said(const policy& p, std::string_view authority, approach via = approach::tunnel, const client& who = training)
{
    const auto t = to(authority, via);
    const auto d = decide(who, t, p, now);
    CHECK(d.allowed() == (d.said == verdict::allowed));
    return d.said;
}

std::string by(const policy& p, std::string_view authority, approach via = approach::tunnel)
{
    const auto t = to(authority, via);
    const auto d = decide(training, t, p, now);
    return d.by == nullptr ? "-" : d.by->name;
}

} // namespace

TEST_CASE("the empty list denies everybody everything")
{
    const policy none;
    CHECK(said(none, "pypi.org:443") == verdict::not_allowed);
    CHECK(said(none, "pypi.org:443", approach::tunnel, {}) == verdict::source_not_allowed);
    CHECK(said(none, "192.0.2.1:443") == verdict::ip_literal);
}

TEST_CASE("an approval names the target and the rule it came from")
{
    const auto p = compiled({allow("a", {"pypi.org"})});
    const auto t = to("PyPI.org.:443");
    const auto d = decide(training, t, p, now);
    REQUIRE(d.allowed());
    CHECK(&d.leave->to() == &t);
    CHECK(&d.leave->by() == &p.rules()[0]);
    CHECK(d.by == &p.rules()[0]);
    CHECK(d.reported == verdict::allowed);
}

TEST_CASE("each thing that keeps a rule from allowing has its own word, and the nearest rule is named")
{
    auto expired = allow("expired", {"old.test"});
    expired.value.expires = now;
    auto others = allow("others", {"theirs.test"});
    others.value.groups = group_set{}.set(1);
    auto http = allow("http", {"plain.test"});
    http.value.protocol = protocol::http;
    const auto p = compiled({allow("a", {"ok.test"}), expired, others, http});
    CHECK(said(p, "ok.test:443") == verdict::allowed);
    CHECK(said(p, "ok.test:22") == verdict::port_not_allowed);
    CHECK(said(p, "ok.test:443", approach::http) == verdict::protocol_not_allowed);
    CHECK(said(p, "plain.test:443") == verdict::protocol_not_allowed);
    CHECK(said(p, "old.test:443") == verdict::expired);
    CHECK(said(p, "theirs.test:443") == verdict::not_allowed);
    CHECK(said(p, "notok.test:443") == verdict::not_allowed);
    CHECK(said(p, "ok.test.evil.test:443") == verdict::not_allowed);
    CHECK(by(p, "ok.test:22") == "a");
    CHECK(by(p, "old.test:443") == "expired");
    CHECK(by(p, "theirs.test:443") == "-");
    CHECK(by(p, "notok.test:443") == "-");
}

TEST_CASE("of several refusals the nearest to an allowance is given")
{
    auto expired = allow("expired", {"**.w.test"});
    expired.value.expires = now - 1s;
    auto port = allow("port", {"a.w.test"});
    port.value.ports = {8443};
    CHECK(said(compiled({port, expired}), "a.w.test:443") == verdict::expired);
    CHECK(said(compiled({expired, port}), "a.w.test:443") == verdict::expired);
    CHECK(said(compiled({port, expired, allow("ok", {"*.w.test"})}), "a.w.test:443") == verdict::allowed);
}

TEST_CASE("a rule's protocol decides which approach it takes")
{
    auto tls = allow("tls", {"tls.test"}), http = allow("http", {"http.test"}), tcp = allow("tcp", {"tcp.test"});
    http.value.protocol = protocol::http;
    tcp.value.protocol = protocol::tcp;
    const auto p = compiled({tls, http, tcp});
    const auto takes = [&](std::string_view host, approach via) { return said(p, std::string{host} + ":443", via) == verdict::allowed; };
    CHECK(takes("tls.test", approach::tunnel));
    CHECK(takes("tls.test", approach::tls));
    CHECK_FALSE(takes("tls.test", approach::http));
    CHECK_FALSE(takes("http.test", approach::tunnel));
    CHECK_FALSE(takes("http.test", approach::tls));
    CHECK(takes("http.test", approach::http));
    CHECK(takes("tcp.test", approach::tunnel));
    CHECK_FALSE(takes("tcp.test", approach::tls));
    CHECK_FALSE(takes("tcp.test", approach::http));
}

TEST_CASE("the most specific pattern that allows gives the rule")
{
    auto narrow = allow("narrow", {"a.b.test"});
    narrow.value.ports = {8443};
    const auto p = compiled({allow("deep", {"**.b.test"}), allow("star", {"*.b.test"}), narrow});
    CHECK(by(p, "a.b.test:8443") == "narrow");
    CHECK(by(p, "a.b.test:443") == "star");
    CHECK(by(p, "x.a.b.test:443") == "deep");
}

TEST_CASE("a deny wins over every allow and private_link, whichever pattern is the more specific")
{
    auto some_port = deny("port", {"ok.test"});
    some_port.value.ports = {22};
    auto some_group = deny("group", {"ok.test"});
    some_group.value.groups = group_set{}.set(1);
    CHECK(said(compiled({allow("a", {"a.ok.test"}), deny("d", {"**.ok.test"})}), "a.ok.test:443") == verdict::denied_by_rule);
    CHECK(said(compiled({deny("d", {"a.ok.test"}), allow("a", {"**.ok.test"})}), "a.ok.test:443") == verdict::denied_by_rule);
    CHECK(said(compiled({linked("l", {"ok.test"}), deny("d", {"ok.test"})}), "ok.test:443") == verdict::denied_by_rule);
    CHECK(by(compiled({allow("a", {"ok.test"}), deny("d", {"ok.test"})}), "ok.test:443") == "d");
    CHECK(said(compiled({allow("a", {"ok.test"}), some_port}), "ok.test:443") == verdict::allowed);
    CHECK(said(compiled({allow("a", {"ok.test"}), some_group}), "ok.test:443") == verdict::allowed);
    CHECK(said(compiled({allow("a", {"ok.test"}), some_group}), "ok.test:443", approach::tunnel, from({0, 1})) == verdict::denied_by_rule);
    CHECK(said(compiled({deny("d", {"192.0.2.1"})}), "192.0.2.1:443") == verdict::denied_by_rule);
}

TEST_CASE("a host that a private_link names is opened by no allow, even where the link itself does not apply")
{
    auto theirs = linked("l", {"**.w.test"});
    theirs.value.groups = group_set{}.set(1);
    auto old = linked("l", {"a.w.test"});
    old.value.expires = now - 1s;
    const auto wide = allow("a", {"a.w.test", "*.w.test"});
    CHECK(said(compiled({wide, theirs}), "a.w.test:443") == verdict::not_allowed);
    CHECK(said(compiled({wide, old}), "a.w.test:443") == verdict::expired);
    CHECK(by(compiled({wide, linked("l", {"**.w.test"})}), "a.w.test:443") == "l");
    CHECK(said(compiled({wide, old}), "b.w.test:443") == verdict::allowed);
}

TEST_CASE("an address needs to be named exactly, and a name's rule does not open it")
{
    auto tcp = allow("tcp", {"192.0.2.1", "[2001:db8::1]"});
    tcp.value.protocol = protocol::tcp;
    const auto p = compiled({tcp, allow("a", {"ok.test"})});
    CHECK(said(p, "192.0.2.1:443") == verdict::allowed);
    CHECK(said(p, "[2001:DB8:0::1]:443") == verdict::allowed);
    CHECK(said(p, "192.0.2.2:443") == verdict::ip_literal);
    CHECK(said(p, "192.0.2.1:22") == verdict::port_not_allowed);
}

TEST_CASE("list before source before deny before all else")
{
    policy_settings over;
    over.expires = now;
    const auto p = compiled({allow("a", {"ok.test"}), deny("d", {"no.test"})}, over);
    CHECK(said(p, "ok.test:443", approach::tunnel, {}) == verdict::policy_expired);
    CHECK(said(p, "ok.test:443") == verdict::policy_expired);
    CHECK(said(compiled({deny("d", {"no.test"})}), "no.test:443", approach::tunnel, {}) == verdict::source_not_allowed);
    policy_settings soon;
    soon.expires = now + 1s;
    CHECK(said(compiled({allow("a", {"ok.test"})}, soon), "ok.test:443") == verdict::allowed);
}

TEST_CASE("report mode lets pass only what the lists alone refuse, under a rule of its own")
{
    policy_settings s;
    s.report = true;
    s.report_until = now + 1s;
    auto old = allow("old", {"old.test"});
    old.value.expires = now;
    auto tcp = allow("tcp", {"192.0.2.1"});
    tcp.value.protocol = protocol::tcp;
    const std::vector<entry> entries{allow("a", {"ok.test"}), old, deny("d", {"no.test"}), tcp, linked("l", {"link.test"})};
    const auto p = compiled(entries, s);
    struct expected {
        const char* authority;
        approach via;
        verdict said, reported;
    };
    for (const auto& e : {expected{"ok.test:443", approach::tunnel, verdict::allowed, verdict::allowed},
                          expected{"new.test:443", approach::tunnel, verdict::allowed, verdict::not_allowed},
                          expected{"new.test:80", approach::http, verdict::allowed, verdict::not_allowed},
                          expected{"ok.test:22", approach::tls, verdict::allowed, verdict::port_not_allowed},
                          expected{"ok.test:443", approach::http, verdict::allowed, verdict::protocol_not_allowed},
                          expected{"no.test:443", approach::tunnel, verdict::denied_by_rule, verdict::allowed},
                          expected{"old.test:443", approach::tunnel, verdict::expired, verdict::allowed},
                          expected{"192.0.2.2:443", approach::tunnel, verdict::ip_literal, verdict::allowed},
                          expected{"192.0.2.1:22", approach::tunnel, verdict::port_not_allowed, verdict::allowed},
                          expected{"link.test:22", approach::tunnel, verdict::port_not_allowed, verdict::allowed}}) {
        const auto t = to(e.authority, e.via);
        const auto d = decide(training, t, p, now);
        CHECK_MESSAGE(d.said == e.said, e.authority);
        CHECK_MESSAGE(d.reported == e.reported, e.authority);
        if (d.reported == verdict::allowed) continue;
        REQUIRE(d.by != nullptr);
        CHECK(d.by->name == "_report");
        CHECK(d.by->slot == reported_rule_slot);
        CHECK(d.by->kind == rule_kind::allow);
        CHECK(d.by->protocol == (e.via == approach::http ? protocol::http : protocol::tls));
        CHECK_FALSE(d.by->ech);
    }
    CHECK(said(p, "new.test:443", approach::tunnel, {}) == verdict::source_not_allowed);
    const auto t = to("new.test:443");
    CHECK(decide(training, t, p, now + 1s).said == verdict::not_allowed); // report_until has come
    s.expires = now;
    CHECK(said(compiled(entries, s), "new.test:443") == verdict::policy_expired);
}

namespace {

// The law, in words: nothing clever, nothing shared with the code under test.
bool matches(const std::string& p, const std::string& host)
{
    const auto ends = [&](const std::string& suffix) { return host.size() > suffix.size() && host.ends_with(suffix); };
    if (p.starts_with("**.")) return ends(p.substr(2));
    if (p.starts_with("*.")) return ends(p.substr(1)) && host.find('.') == host.size() - (p.size() - 1);
    return p == host;
}

bool names_host(const entry& e, const std::string& host)
{
    return std::any_of(e.hosts.begin(), e.hosts.end(), [&](const std::string& p) { return matches(p, host); });
}

bool may_leave(const std::vector<entry>& all, const client& who, const target& t)
{
    const std::string host{t.host.str()};
    bool linked = false, denied = false, allow_opens = false, link_opens = false;
    for (const auto& e : all) {
        if (!names_host(e, host)) continue;
        const auto& r = e.value;
        const bool mine = (r.groups & who.groups).any();
        const bool port = std::count(r.ports.begin(), r.ports.end(), t.port) > 0;
        const bool how = t.via == approach::http
                             ? r.protocol == protocol::http
                             : r.protocol == protocol::tls || (t.via == approach::tunnel && r.protocol == protocol::tcp);
        linked = linked || r.kind == rule_kind::private_link;
        denied = denied || (r.kind == rule_kind::deny && mine && (port || r.ports.empty()));
        const bool opens = mine && port && how && now < r.expires;
        allow_opens = allow_opens || (opens && r.kind == rule_kind::allow);
        link_opens = link_opens || (opens && r.kind == rule_kind::private_link);
    }
    return !denied && (linked ? link_opens : allow_opens);
}

std::string random_host(std::mt19937& random)
{
    std::string out;
    for (std::size_t labels = 1 + random() % 3; labels-- > 0;) out += std::string{static_cast<char>('a' + random() % 2)} + ".";
    return out + "test";
}

entry random_entry(std::mt19937& random, std::size_t i)
{
    auto e = allow("r" + std::to_string(i), {});
    constexpr std::array<const char*, 4> fronts{"", "", "*.", "**."};
    for (std::size_t n = 1 + random() % 3; n-- > 0;) e.hosts.push_back(fronts[random() % 4] + random_host(random));
    if (random() % 5 == 0) e.value.kind = rule_kind::private_link;
    if (random() % 6 == 0) e.value.kind = rule_kind::deny;
    if (random() % 2 == 0) e.value.groups = group_set{random() % 8};
    if (random() % 3 == 0) e.value.ports = {80, 443};
    if (e.value.kind == rule_kind::deny && random() % 2 == 0) e.value.ports.clear();
    e.value.protocol = static_cast<protocol>(random() % 3);
    if (random() % 4 == 0) e.value.expires = now + std::chrono::seconds{static_cast<int>(random() % 3) - 1};
    return e;
}

target random_target(std::mt19937& random)
{
    const auto port = std::array{"80", "443", "22"}[random() % 3];
    return to(random_host(random) + ":" + port, static_cast<approach>(random() % 3));
}

} // namespace

TEST_CASE("decide allows exactly what some rule names and no deny forbids, for random policies")
{
    std::mt19937 random{42};
    std::size_t allowed = 0, refused = 0;
    for (int round = 0; round < 400; ++round) {
        std::vector<entry> all;
        for (std::size_t i = 0; i < 1 + random() % 8; ++i) all.push_back(random_entry(random, i));
        const auto p = compiled(all);
        for (int probe = 0; probe < 30; ++probe) {
            const auto t = random_target(random);
            client who;
            who.groups = group_set{1 + random() % 7};
            const auto d = decide(who, t, p, now);
            REQUIRE(d.allowed() == may_leave(all, who, t));
            REQUIRE(d.allowed() == (d.said == verdict::allowed));
            if (d.allowed()) REQUIRE(names_host(all[static_cast<std::size_t>(d.by - p.rules().data())], std::string{t.host.str()}));
            ++(d.allowed() ? allowed : refused);
        }
    }
    CHECK(allowed > 500); // the test would prove little otherwise
    CHECK(refused > 500);
}

TEST_CASE("the order of the entries changes no verdict")
{
    std::mt19937 random{7};
    for (int round = 0; round < 200; ++round) {
        std::vector<entry> all;
        for (std::size_t i = 0; i < 2 + random() % 8; ++i) all.push_back(random_entry(random, i));
        auto other = all;
        std::shuffle(other.begin(), other.end(), random);
        const auto one = compiled(all), two = compiled(other);
        for (int probe = 0; probe < 20; ++probe) {
            const auto t = random_target(random);
            CHECK(decide(training, t, one, now).said == decide(training, t, two, now).said);
        }
    }
}

namespace {

verdict checked(const rule& r, std::string_view address, const own_endpoints& own = {}, std::uint16_t port = 443)
{
    auto e = allow("x", {"ok.test"});
    const auto name = e.value.name;
    e.value = r;
    e.value.ports = {port};
    const auto p = compiled({e});
    const auto t = to("ok.test:" + std::to_string(port));
    const auto d = decide(training, t, p, now);
    REQUIRE(d.allowed());
    const auto a = ip_address::parse(address);
    REQUIRE_MESSAGE(a.has_value(), address);
    const auto said = check_address(*d.leave, *a, own);
    if (said) CHECK(said->address() == *a);
    return said ? verdict::allowed : said.error();
}

rule link_within(std::initializer_list<std::string_view> within, std::initializer_list<std::string_view> pinned = {})
{
    rule r;
    r.kind = rule_kind::private_link;
    for (const auto w : within) r.within.push_back(*ip_prefix::parse(w));
    for (const auto a : pinned) r.addresses.push_back(*ip_address::parse(a));
    return r;
}

constexpr std::array nobody_may{
    "169.254.169.254", "168.63.129.16",   "100.100.100.200", "fd00:ec2::254", "169.254.1.1", "fe80::1",
    "224.0.0.1",       "255.255.255.255", "ff02::1",         "0.0.0.0",       "::",          "64:ff9b::a9fe:a9fe",
    "192.0.2.1",       "240.0.0.1"};

} // namespace

TEST_CASE("an allow reaches public addresses and no others")
{
    CHECK(checked({}, "93.184.216.34") == verdict::allowed);
    CHECK(checked({}, "2606:2800:220::1") == verdict::allowed);
    for (const auto* a : {"10.0.0.1", "192.168.1.1", "100.64.0.1", "fd00::1", "127.0.0.1", "::1", "::ffff:127.0.0.1"})
        CHECK_MESSAGE(checked({}, a) == verdict::addr_class, a);
    for (const auto* a : nobody_may) CHECK_MESSAGE(checked({}, a) == verdict::addr_class, a);
}

TEST_CASE("a private_link reaches what lies within and never falls back to a public address")
{
    const auto r = link_within({"10.20.8.0/24", "20.40.0.0/16"});
    CHECK(checked(r, "10.20.8.4") == verdict::allowed);
    CHECK(checked(r, "20.40.1.1") == verdict::allowed); // a public range that was named
    CHECK(checked(r, "93.184.216.34") == verdict::private_link_public);
    CHECK(checked(r, "10.20.9.4") == verdict::private_link_cidr);
    CHECK(checked(r, "127.0.0.1") == verdict::addr_class);
    for (const auto* a : nobody_may) CHECK_MESSAGE(checked(link_within({"0.0.0.0/0", "::/0"}), a) == verdict::addr_class, a);
    CHECK(checked(link_within({"0.0.0.0/0"}), "127.0.0.1") == verdict::addr_class);
}

TEST_CASE("a pinned private_link reaches its addresses alone, loopback among them")
{
    const auto r = link_within({}, {"10.20.8.4", "127.0.0.1"});
    CHECK(checked(r, "10.20.8.4") == verdict::allowed);
    CHECK(checked(r, "127.0.0.1") == verdict::allowed);
    CHECK(checked(r, "10.20.8.5") == verdict::private_link_cidr);
    CHECK(checked(r, "127.0.0.2") == verdict::private_link_cidr);
    CHECK(checked(r, "93.184.216.34") == verdict::private_link_public);
    CHECK(checked(link_within({"10.20.8.0/24"}, {"10.20.8.4"}), "10.20.8.5") == verdict::private_link_cidr);
    for (const auto* a : nobody_may) CHECK_MESSAGE(checked(link_within({}, {a}), a) == verdict::addr_class, a);
}

TEST_CASE("exeat never connects to itself, whatever a rule pins")
{
    own_endpoints own;
    for (const auto* a : {"127.0.0.1", "10.1.2.3", "93.184.216.34", "::1"}) own.addresses.push_back(*ip_address::parse(a));
    std::sort(own.addresses.begin(), own.addresses.end());
    own.ports = {443, 3128, 9464};
    const auto pins = link_within({}, {"127.0.0.1", "127.0.0.9", "::1", "10.1.2.3"});
    CHECK(checked({}, "93.184.216.34", own, 8443) == verdict::self_connect);
    CHECK(checked({}, "10.1.2.3", own, 8443) == verdict::self_connect);
    CHECK(checked(pins, "10.1.2.3", own, 8443) == verdict::self_connect);
    for (const std::uint16_t port : {443, 3128, 9464})
        for (const auto* a : {"127.0.0.1", "127.0.0.9", "::1"}) CHECK(checked(pins, a, own, port) == verdict::self_connect);
    CHECK(checked(pins, "127.0.0.1", own, 8443) == verdict::allowed);
    CHECK(checked(pins, "::1", own, 8443) == verdict::allowed);
    CHECK(checked({}, "127.0.0.1", own, 9464) == verdict::self_connect);
}
