#include "logged_lines.hpp"
#include "small_allowlist.hpp"

#include <ops/offline/replay.hpp>

using namespace exeat;
using namespace exeat::testing;
using net::audit_action;

namespace {

ops::replay_result replayed(const log_writer& log, std::string_view allowlist)
{
    const auto list = load(allowlist);
    REQUIRE_MESSAGE(list.rules, text_of(list.problems));
    static std::shared_ptr<const policy> kept; // rows refer to it
    kept = list.rules;
    ops::replay again{*kept, now};
    read_text(log.text(), again);
    return again.finish();
}

std::string with(std::string_view entries) { return std::string{least} + std::string{entries}; }

constexpr std::string_view packages = "[[allow]]\nname = \"packages\"\nhosts = [\"pkg.test\"]\n";

std::uint64_t not_replayed(const ops::replay_result& r, verdict v) { return r.not_replayed[v]; }

} // namespace

TEST_CASE("what passed and passes, and what was refused and is refused, changes nothing")
{
    log_writer log;
    log.add(log.record(audit_action::open, "pkg.test")).add(log.record(audit_action::deny, "evil.test"));
    const auto r = replayed(log, with(packages));
    CHECK(!r.changes());
    CHECK(r.still_allowed == 1);
    CHECK(r.still_refused == 1);
    CHECK(r.rows.empty());
}

TEST_CASE("what was refused and would pass is newly allowed, by the entry that lets it pass, as often as it was asked")
{
    log_writer log;
    auto sampled = log.record(audit_action::deny, "evil.deep.test");
    sampled.stands_for = 5;
    log.add(log.record(audit_action::deny, "evil.deep.test")).add(sampled);
    const auto r = replayed(log, with("[[allow]]\nname = \"new\"\nhosts = [\"*.deep.test\"]\n"));
    CHECK(r.newly_allowed == 6);
    REQUIRE(r.rows.size() == 1);
    CHECK(r.rows[0].opens);
    CHECK(r.rows[0].by->name == "new");
    CHECK(r.rows[0].was == verdict::not_allowed);
    CHECK(r.rows[0].volume.requests == 6);
}

TEST_CASE("TLS that came into a tunnel for plain HTTP is refused by the list that refused it")
{
    log_writer log;
    auto inside = log.record(audit_action::deny, "pkg.test");
    inside.verdict = verdict::protocol_not_allowed;
    log.add(inside);
    CHECK(replayed(log, with("[[allow]]\nname = \"plain\"\nhosts = [\"pkg.test\"]\nports = [443]\nprotocol = \"http\"\n")).still_refused ==
          1);
    CHECK(replayed(log, with(packages)).newly_allowed == 1);
}

TEST_CASE("what passed and would be refused is newly denied, with the reason, the entry that was and the bytes")
{
    log_writer log;
    auto t = log.record(audit_action::open, "pkg.test");
    log.add(t);
    t.action = audit_action::close, t.upload = 10, t.download = 20;
    log.add(t);
    const auto r = replayed(log, with("[[allow]]\nname = \"packages\"\nhosts = [\"pkg.test\"]\nports = [8443]\n"));
    CHECK(r.newly_denied == 1);
    REQUIRE(r.rows.size() == 1);
    CHECK(!r.rows[0].opens);
    CHECK(r.rows[0].is == verdict::port_not_allowed);
    CHECK(r.rows[0].entry == "packages");
    CHECK(r.rows[0].volume.upload == 10);
    CHECK(r.rows[0].volume.download == 20);
}

TEST_CASE("a client that the new list does not know is newly denied, and one that it comes to know is told")
{
    log_writer log;
    log.add(log.record(audit_action::open, "pkg.test"));
    auto stranger = log.record(audit_action::deny, "", 0);
    stranger.verdict = verdict::source_not_allowed;
    stranger.source = ip_address::v4(0x0a2b0001); // 10.43.0.1
    log.add(stranger);
    const auto r = replayed(log, "serial = 1\n[groups.other]\nsources = [\"10.43.0.0/16\"]\n" + std::string{packages});
    REQUIRE(r.rows.size() == 1);
    CHECK(r.rows[0].is == verdict::source_not_allowed);
    CHECK(r.newly_known == 1);
    CHECK(not_replayed(r, verdict::source_not_allowed) == 1);
}

TEST_CASE("the address that was dialled is held against the new list too")
{
    log_writer log;
    auto t = log.record(audit_action::open, "pkg.test");
    t.peer = ip_address::v4(0x0a140804); // 10.20.8.4
    log.add(t);
    const auto linked = [](std::string_view net) {
        return with("[[private_link]]\nname = \"l\"\nhosts = [\"pkg.test\"]\n" + std::string{net} + "\n");
    };
    CHECK(replayed(log, linked("within = [\"10.20.8.0/24\"]")).still_allowed == 1);
    CHECK(replayed(log, linked("addresses = [\"10.99.0.1\"]")).still_allowed == 1); // is dialled instead
    const auto elsewhere = replayed(log, linked("within = [\"10.20.9.0/24\"]"));
    REQUIRE(elsewhere.rows.size() == 1);
    CHECK(elsewhere.rows[0].is == verdict::private_link_cidr);
    const auto publicly = replayed(log, with(packages));
    REQUIRE(publicly.rows.size() == 1);
    CHECK(publicly.rows[0].is == verdict::addr_class);
}

TEST_CASE("a denied or private address that refused a request is held against the new list, and what the log does not name is not guessed")
{
    const auto refused = [](verdict said, std::string_view address, std::string_view entries) {
        log_writer log;
        auto r = log.record(audit_action::deny, "pkg.test");
        r.verdict = said;
        r.rule_slot = log.labels().rule_slot("d", purpose::pull);
        if (!address.empty()) r.peer = *ip_address::parse(address);
        return replayed(log.add(r), with(std::string{packages} + std::string{entries}));
    };
    const auto deny = [](std::string_view hosts) { return "[[deny]]\nname = \"d\"\nhosts = [\"" + std::string{hosts} + "\"]\n"; };
    const auto by_network = [&](std::string_view entries) { return refused(verdict::denied_by_rule, "93.184.216.34", entries); };
    CHECK(by_network(deny("93.184.0.0/16")).still_refused == 1); // the list that refused it
    CHECK(by_network(deny("93.184.216.0/24")).still_refused == 1);
    CHECK(by_network(deny("93.184.217.0/24")).newly_allowed == 1);
    CHECK(by_network("").newly_allowed == 1);
    // By the name, or by an address that was not logged.
    const auto unnamed = [&](std::string_view entries) { return refused(verdict::denied_by_rule, "", entries); };
    CHECK(not_replayed(unnamed(deny("93.184.0.0/16")), verdict::denied_by_rule) == 1);
    CHECK(unnamed(deny("pkg.test")).still_refused == 1);
    CHECK(unnamed(deny("other.test")).newly_allowed == 1);
    // No [[allow]] opens what is not public, whatever this list says of it.
    for (const auto* address : {"10.20.8.4", "93.184.216.34"}) CHECK(refused(verdict::addr_class, address, "").still_refused == 1);
    const auto linked = "[[private_link]]\nname = \"l\"\nhosts = [\"pkg.test\"]\nwithin = [\"10.20.8.0/24\"]\n";
    CHECK(refused(verdict::addr_class, "10.20.8.4", linked).newly_allowed == 1);
    CHECK(refused(verdict::private_link_cidr, "10.20.9.4", linked).still_refused == 1);
    CHECK(refused(verdict::private_link_public, "93.184.216.34", "").newly_allowed == 1);
}

TEST_CASE("what DNS, TLS or unreadable bytes decided is not replayed when the list would let it pass, and still refused when it would not")
{
    log_writer log;
    for (const auto why : {verdict::addr_class, verdict::sni_mismatch, verdict::dns_failure, verdict::name_budget, verdict::overload}) {
        auto r = log.record(audit_action::deny, "pkg.test");
        r.verdict = why;
        log.add(r);
        r.host = net::bounded_text{"evil.test"};
        log.add(r);
    }
    auto unread = log.record(audit_action::deny, "a b", 0);
    unread.verdict = verdict::host_syntax;
    log.add(unread);
    const auto r = replayed(log, with(packages));
    CHECK(!r.changes());
    CHECK(r.still_refused == 5);
    for (const auto why :
         {verdict::addr_class, verdict::sni_mismatch, verdict::dns_failure, verdict::name_budget, verdict::overload, verdict::host_syntax})
        CHECK(not_replayed(r, why) == 1);
}

TEST_CASE("raw bytes that passed are not said to pass where TLS is wanted")
{
    log_writer log;
    auto r = log.record(audit_action::open, "pkg.test");
    r.server_name = {};
    const auto result = replayed(log.add(r), with(packages));
    CHECK(!result.changes());
    CHECK(not_replayed(result, verdict::not_tls) == 1);
}

TEST_CASE("what report mode let pass is newly denied by a list that enforces, and marked")
{
    log_writer log;
    auto r = log.record(audit_action::open, "new.test");
    r.verdict = verdict::not_allowed;
    r.rule_slot = ops::label_registry::reported_rule;
    const auto enforced = replayed(log.add(r), with(packages));
    REQUIRE(enforced.rows.size() == 1);
    CHECK(enforced.rows[0].reported);
    const auto reporting = replayed(log, "mode = \"report\"\nreport_until = 2026-06-05T00:00:00Z\n" + with(packages));
    CHECK(!reporting.changes());
    CHECK(reporting.by_report_mode == 1);
}
