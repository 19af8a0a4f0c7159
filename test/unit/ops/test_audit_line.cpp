#include <ops/audit/audit_line.hpp>

#include <exeat/budget/budget_book.hpp>
#include <exeat/policy_builder.hpp>

#include <algorithm>
#include <boost/json.hpp>
#include <doctest/doctest.h>
#include <random>

using namespace exeat;
using namespace exeat::ops;

namespace {

namespace json = boost::json;

struct writer {
    label_registry labels;
    policy_status status;
    audit_line line{labels, status};
    audit_chain chain;

    std::string text(const auto& event)
    {
        std::string out;
        line.append(out, event, chain);
        return out;
    }
    json::object fields(const auto& event) { return json::parse(text(event)).as_object(); }
};

net::audit_record denial(std::string_view host)
{
    net::audit_record r;
    r.action = net::audit_action::deny;
    r.verdict = verdict::not_allowed;
    r.id = 0xabc;
    r.at = std::chrono::sys_days{std::chrono::year{2026} / 2 / 3} + std::chrono::hours{4} + std::chrono::microseconds{1'000'042};
    r.duration = std::chrono::microseconds{15};
    r.source = ip_address::v4(0x0a2a0307);
    r.source_port = 40'000;
    r.host = net::bounded_text{host};
    r.port = 443;
    return r;
}

std::string string(const json::object& o, std::string_view key)
{
    const auto* v = o.if_contains(json::string_view{key.data(), key.size()});
    return v == nullptr ? "(absent)" : v->is_string() ? std::string{v->as_string()} : json::serialize(*v);
}

} // namespace

TEST_CASE("a denial says when, who, where to and why")
{
    writer w;
    const auto o = w.fields(denial("evil.test"));
    CHECK(string(o, "@timestamp") == "2026-02-03T04:00:01.000042Z");
    CHECK(string(o, "event.kind") == "event");
    CHECK(string(o, "event.category") == R"(["network"])");
    CHECK(string(o, "event.type") == R"(["connection","denied"])");
    CHECK(string(o, "event.action") == "deny");
    CHECK(string(o, "event.outcome") == "failure");
    CHECK(string(o, "event.reason") == to_string(verdict::not_allowed));
    CHECK(string(o, "event.id") == "0000000000000abc");
    CHECK(string(o, "event.sequence") == "1");
    CHECK(string(o, "event.duration") == "15000");
    CHECK(string(o, "source.ip") == "10.42.3.7");
    CHECK(string(o, "source.port") == "40000");
    CHECK(string(o, "exeat.group") == "_none");
    CHECK(string(o, "destination.domain") == "evil.test");
    CHECK(string(o, "destination.port") == "443");
    CHECK(string(o, "destination.ip") == "(absent)");
    CHECK(string(o, "rule.name") == "(absent)");
    CHECK(string(o, "exeat.mode") == "connect");
    CHECK(string(o, "exeat.audit.stands_for") == "(absent)");
    CHECK(string(o, "exeat.audit.previous") == std::string(64, '0'));
}

TEST_CASE("a close says by which rule, where to and how many bytes went which way")
{
    writer w;
    const auto rule = w.labels.rule_slot("python-packages", purpose::pull);
    const auto group = w.labels.group_slot("training");
    auto r = denial("pkg.test");
    r.action = net::audit_action::close;
    r.ended = ending::policy_revoked;
    r.rule_slot = rule;
    r.group_slot = group;
    r.upload = 1'234;
    r.download = 33'000'000'000;
    r.peer = *ip_address::parse("2001:db8::7");
    r.server_name = net::bounded_text{"pkg.test"};
    r.ech = true;
    r.mode = net::request_mode::sni;
    const auto o = w.fields(r);
    CHECK(string(o, "event.type") == R"(["connection","end"])");
    CHECK(string(o, "event.reason") == to_string(ending::policy_revoked));
    CHECK(string(o, "event.outcome") == "failure");
    CHECK(string(o, "rule.name") == "python-packages");
    CHECK(string(o, "exeat.group") == "training");
    CHECK(string(o, "source.bytes") == "1234");
    CHECK(string(o, "destination.bytes") == "33000000000");
    CHECK(string(o, "destination.ip") == "2001:db8::7");
    CHECK(string(o, "tls.client.server_name") == "pkg.test");
    CHECK(string(o, "exeat.tls.ech") == "true");
    CHECK(string(o, "exeat.mode") == "sni");
}

TEST_CASE("what report mode let pass is an open that says so")
{
    writer w;
    auto r = denial("new.test");
    r.action = net::audit_action::open;
    r.rule_slot = label_registry::reported_rule;
    const auto o = w.fields(r);
    CHECK(string(o, "event.action") == "open");
    CHECK(string(o, "event.outcome") == "success");
    CHECK(string(o, "event.reason") == to_string(verdict::not_allowed));
    CHECK(string(o, "exeat.reported") == "true");
    CHECK(string(o, "rule.name") == "_report");
}

TEST_CASE("a line says which policy judged, also after a reload")
{
    writer w;
    for (const auto* sha : {"aa", "bb"}) {
        policy_settings settings;
        settings.sha256 = sha;
        policy_builder b;
        w.status.took_effect(std::make_shared<const policy>(std::move(b).finish(settings)), {});
    }
    auto r = denial("x.test");
    r.policy = 1;
    CHECK(string(w.fields(r), "rule.version") == "aa");
    r.policy = 2;
    CHECK(string(w.fields(r), "rule.version") == "bb");
    r.policy = 3;
    CHECK(string(w.fields(r), "rule.version") == "(absent)");
}

TEST_CASE("sums of denials and of exchanges say how many they stand for, and what report mode let pass")
{
    writer w;
    auto r = denial("x.test");
    r.stands_for = 4'000;
    CHECK(string(w.fields(r), "exeat.audit.stands_for") == "4000");
    r.action = net::audit_action::close, r.verdict = verdict::allowed;
    CHECK(string(w.fields(r), "exeat.audit.stands_for") == "4000");
    CHECK(string(w.fields(r), "event.reason") == "finished");
    CHECK(string(w.fields(r), "exeat.reported_reason") == "(absent)");
    r.verdict = verdict::not_allowed;
    CHECK(string(w.fields(r), "exeat.reported_reason") == "not_allowed");
    CHECK(w.fields(r).at("exeat.reported").as_bool());
}

TEST_CASE("a client cannot forge a line, hide in one or move a terminal's cursor")
{
    writer w;
    const std::string hostile[] = {
        "a\",\"event.outcome\":\"success\",\"x\":\"",
        "a\r\n{\"event.action\":\"open\"}",
        std::string{"evil.test\0.ok.test", 18},
        "\x1b[2J\x1b]0;owned\x07",
        "\\u0000\\\"",
        "\x7f\xc2\x80\xc2\x9b",
        "\xe2\x80\xae"
        "gro.ko", // right-to-left override
        "\xe2\x81\xa6\xe2\x80\x8b\xef\xbb\xbf\xe2\x80\xa8",
        "\xf3\xa0\x81\xa1", // a tag character, beyond the basic plane
        "\xff\xfe\xc0\xaf\xed\xa0\x80\xf4\x90\x80\x80\xe2\x82",
    };
    for (const auto& host : hostile) {
        auto r = denial(host);
        r.server_name = r.host;
        const auto line = w.text(r);
        CAPTURE(line);
        CHECK(std::count(line.begin(), line.end(), '\n') == 1);
        CHECK(std::all_of(line.begin(), line.end() - 1, [](unsigned char c) { return c >= 0x20 && c != 0x7f; }));
        CHECK(line.find("\xe2\x80\xae") == line.npos);
        CHECK(line.find("\xe2\x81\xa6") == line.npos);
        CHECK(line.find("\xc2\x9b") == line.npos);
        const auto o = json::parse(line).as_object();
        CHECK(string(o, "event.outcome") == "failure");
        CHECK(string(o, "event.action") == "deny");
    }
}

TEST_CASE("text that is UTF-8 comes back as it was sent, octets that are not become U+FFFD")
{
    writer w;
    CHECK(string(w.fields(denial("b\xc3\xbc"
                                 "cher.test")),
                 "destination.domain") == "b\xc3\xbc"
                                          "cher.test");
    CHECK(string(w.fields(denial(std::string{"a\0b", 3})), "destination.domain") == std::string("a\0b", 3));
    CHECK(string(w.fields(denial("\xe2\x80\xae")), "destination.domain") == "\xe2\x80\xae");
    CHECK(string(w.fields(denial("\xf3\xa0\x81\xa1")), "destination.domain") == "\xf3\xa0\x81\xa1");
    CHECK(string(w.fields(denial("a\xff"
                                 "b")),
                 "destination.domain") == "a\xef\xbf\xbd"
                                          "b");
    CHECK(string(w.fields(denial("\xc0\xaf")), "destination.domain") == "\xef\xbf\xbd\xef\xbf\xbd");
}

TEST_CASE("any bytes at all make one valid line of bounded length")
{
    writer w;
    std::mt19937 draw{3};
    for (int i = 0; i < 20'000; ++i) {
        std::string bytes(draw() % 300, '\0');
        for (auto& c : bytes) c = static_cast<char>(draw());
        auto r = denial(bytes);
        r.server_name = net::bounded_text{bytes};
        const auto line = w.text(r);
        REQUIRE(line.size() <= limits::audit_line_bytes);
        REQUIRE(std::count(line.begin(), line.end(), '\n') == 1);
        boost::system::error_code failed;
        json::parse(line, failed);
        REQUIRE(!failed);
    }
}

TEST_CASE("text beyond 255 octets is cut, and the line says so")
{
    writer w;
    const auto o = w.fields(denial(std::string(64 * 1024, 'a')));
    CHECK(string(o, "destination.domain") == std::string(limits::audit_client_octets, 'a'));
    CHECK(string(o, "exeat.audit.cut") == "true");
    CHECK(string(w.fields(denial("a.test")), "exeat.audit.cut") == "(absent)");
}

TEST_CASE("a reload that failed says why")
{
    writer w;
    process_event e;
    e.action = process_event::what::reload;
    e.ok = false;
    e.text = "allowlist.toml:3:1: error: \"x\"\nsecond";
    const auto o = w.fields(e);
    CHECK(string(o, "event.action") == "reload");
    CHECK(string(o, "event.outcome") == "failure");
    CHECK(string(o, "message") == "allowlist.toml:3:1: error: \"x\"\nsecond");
}

TEST_CASE("each line carries the hash of the line before")
{
    writer w;
    const auto first = w.text(denial("a.test"));
    const auto hash = sha256{}.of(std::string_view{first}.substr(0, first.size() - 1));
    const auto o = w.fields(denial("b.test"));
    CHECK(string(o, "exeat.audit.previous") == std::string(hash.data(), hash.size()));
    CHECK(string(o, "event.sequence") == "2");
}

TEST_CASE("the hash is SHA-256")
{
    const auto hash = sha256{}.of("abc"); // FIPS 180-4's example
    CHECK(std::string(hash.data(), hash.size()) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST_CASE("open and deny say who answers for the entry, as the list said that decided it")
{
    writer w;
    const auto take = [&](std::string owner, std::string ticket) {
        policy_builder b;
        rule r;
        r.name = "e";
        r.owner = std::move(owner), r.ticket = std::move(ticket);
        b.add_rule(std::move(r));
        w.status.took_effect(std::make_shared<const policy>(std::move(b).finish({})), {});
    };
    take("eval\"uation", "NET-1");
    take("platform", "");
    auto r = denial("evil.test");
    r.rule_id = budget_key::id_of("e");
    for (int i = 0; i < 2; ++i) { // as workers do that have the new list already, or not yet
        r.policy = 1;
        const auto before = w.fields(r);
        CHECK(string(before, "exeat.rule.owner") == "eval\"uation");
        CHECK(string(before, "exeat.rule.ticket") == "NET-1");
        r.policy = 2;
        const auto now = w.fields(r);
        CHECK(string(now, "exeat.rule.owner") == "platform");
        CHECK(string(now, "exeat.rule.ticket") == "(absent)");
    }
    r.action = net::audit_action::close;
    CHECK(string(w.fields(r), "exeat.rule.owner") == "platform");
    r.action = net::audit_action::progress; // often, and between two lines that say it
    CHECK(string(w.fields(r), "exeat.rule.owner") == "(absent)");
    r.action = net::audit_action::open;
    CHECK(string(w.fields(r), "exeat.rule.owner") == "platform");
    r.rule_id = budget_key::id_of("other");
    CHECK(string(w.fields(r), "exeat.rule.owner") == "(absent)");
}

TEST_CASE("a line names so many approvers and no more")
{
    writer w;
    process_event e;
    e.action = process_event::what::reload;
    e.file = "/etc/exeat/allowlist.toml";
    for (std::size_t i = 0; i < limits::told_approvers; ++i) e.by.push_back({"k" + std::to_string(i), "alice"});
    const auto told = [&] { return w.fields(e).at("exeat.policy.approved_by").as_array().size(); };
    CHECK(told() == limits::told_approvers);
    e.by.push_back({"one more", "bob"});
    CHECK(told() == limits::told_approvers);
    CHECK(string(w.fields(e), "exeat.policy.file") == "/etc/exeat/allowlist.toml");
    e.by.clear();
    CHECK(string(w.fields(e), "exeat.policy.approver_names") == "[]");
}
