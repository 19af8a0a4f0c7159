#include "small_policy.hpp"

using namespace exeat;
using namespace exeat::testing;
using namespace std::chrono_literals;

namespace {

verdict said(const policy& p, std::string_view authority, approach via = approach::tunnel, const client& who = training)
{
    const auto t = to(authority, via);
    const auto d = decide(who, t, p, now);
    CHECK(d.allowed() == (d.verdict == verdict::allowed));
    return d.verdict;
}

std::string by(const policy& p, std::string_view authority, approach via = approach::tunnel)
{
    const auto t = to(authority, via);
    const auto d = decide(training, t, p, now);
    return d.rule == nullptr ? "-" : d.rule->name;
}

} // namespace

TEST_CASE("the empty list denies everybody everything")
{
    const policy none;
    CHECK(said(none, "pkg.test:443") == verdict::not_allowed);
    CHECK(said(none, "pkg.test:443", approach::tunnel, {}) == verdict::source_not_allowed);
    CHECK(said(none, "192.0.2.1:443") == verdict::ip_literal);
}

TEST_CASE("an approval names the target and the rule it came from")
{
    const auto p = compiled({allow("a", {"pkg.test"})});
    const auto t = to("PKG.Test.:443");
    const auto d = decide(training, t, p, now);
    REQUIRE(d.allowed());
    CHECK(&d.approval->to() == &t);
    CHECK(&d.approval->rule() == &p.rules()[0]);
    CHECK(d.rule == &p.rules()[0]);
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
    CHECK(said(p, "plain.test:443", approach::tls) == verdict::protocol_not_allowed);
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
    CHECK(takes("http.test", approach::tunnel)); // and what is inside is read as plain HTTP
    CHECK_FALSE(takes("http.test", approach::tls));
    CHECK(takes("http.test", approach::http));
    CHECK(takes("tcp.test", approach::tunnel));
    CHECK_FALSE(takes("tcp.test", approach::tls));
    CHECK_FALSE(takes("tcp.test", approach::http));
}

TEST_CASE("an entry that takes what is inside a tunnel as it comes goes before one that has it read as plain HTTP")
{
    auto exact = allow("exact", {"a.w.test"}), wide = allow("wide", {"*.w.test"});
    exact.value.protocol = protocol::http;
    for (const auto p : {protocol::tls, protocol::tcp}) {
        wide.value.protocol = p;
        CHECK(by(compiled({exact, wide}), "a.w.test:443") == "wide");
        CHECK(by(compiled({wide, exact}), "a.w.test:443") == "wide");
    }
    CHECK(by(compiled({exact, wide}), "a.w.test:443", approach::http) == "exact");
    wide.value.expires = now;
    CHECK(by(compiled({exact, wide}), "a.w.test:443") == "exact");
}

TEST_CASE("a decision says whether a wildcard named the host")
{
    const auto p = compiled({allow("wide", {"*.w.test", "exact.w.test", "**.deep.test"})});
    const auto by_wildcard = [&](std::string_view host) {
        const auto t = to(std::string{host} + ":443");
        const auto said = decide(training, t, p, now);
        REQUIRE(said.allowed());
        return said.by_wildcard;
    };
    CHECK(by_wildcard("a.w.test"));
    CHECK(by_wildcard("a.b.deep.test"));
    CHECK_FALSE(by_wildcard("exact.w.test"));
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
        CHECK_MESSAGE(d.verdict == e.said, e.authority);
        CHECK_MESSAGE(d.reported == e.reported, e.authority);
        if (d.reported == verdict::allowed) continue;
        REQUIRE(d.rule != nullptr);
        CHECK(d.rule->name == "_report");
        CHECK(d.rule->slot == reported_rule_slot);
        CHECK(d.rule->kind == rule_kind::allow);
        CHECK(d.rule->protocol == (e.via == approach::http ? protocol::http : protocol::tls));
        CHECK_FALSE(d.rule->ech);
    }
    CHECK(said(p, "new.test:443", approach::tunnel, {}) == verdict::source_not_allowed);
    const auto t = to("new.test:443");
    CHECK(decide(training, t, p, now + 1s).verdict == verdict::not_allowed); // report_until has come
    s.expires = now;
    CHECK(said(compiled(entries, s), "new.test:443") == verdict::policy_expired);
}
