#include "logged_lines.hpp"
#include "small_allowlist.hpp"

#include <ops/replay.hpp>

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

std::uint64_t not_replayed(const ops::replay_result& r, verdict v) { return r.not_replayed[static_cast<std::size_t>(v)]; }

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
    stranger.said = verdict::source_not_allowed;
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

TEST_CASE("what DNS, TLS or unreadable bytes decided is not replayed when the list would let it pass, and still refused when it would not")
{
    log_writer log;
    for (const auto why : {verdict::addr_class, verdict::sni_mismatch, verdict::dns_failure, verdict::name_budget, verdict::overload}) {
        auto r = log.record(audit_action::deny, "pkg.test");
        r.said = why;
        log.add(r);
        r.host = net::bounded_text{"evil.test"};
        log.add(r);
    }
    auto unread = log.record(audit_action::deny, "a b", 0);
    unread.said = verdict::host_syntax;
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
    r.said = verdict::not_allowed;
    r.rule_slot = ops::label_registry::reported_rule;
    const auto enforced = replayed(log.add(r), with(packages));
    REQUIRE(enforced.rows.size() == 1);
    CHECK(enforced.rows[0].reported);
    const auto reporting = replayed(log, "mode = \"report\"\nreport_until = 2026-06-05T00:00:00Z\n" + with(packages));
    CHECK(!reporting.changes());
    CHECK(reporting.by_report_mode == 1);
}
