// What becomes of a client that has used up what it may do in a second, where the stages meet it.
#include "conversation.hpp"

#include <chrono>
#include <doctest/doctest.h>

using namespace exeat;
using namespace exeat::net;
using namespace exeat::testing;

namespace {

void use_up(stage& s, client_rate what) { s.rates.spend(what, s.who.key, std::chrono::steady_clock::now(), 10'000'000); }

// One more request on the kept connection, and its answer.
void exchange_again(conversation& c, std::string_view answer)
{
    const auto before = c.seen[0].size();
    REQUIRE(write_now(c.client, c.request("GET")));
    REQUIRE(c.wait([&] { return c.seen[0].size() > before; }));
    REQUIRE(write_now(c.upstream[0], answer));
}

std::vector<audit_action> actions(const std::vector<audit_record>& lines)
{
    std::vector<audit_action> out;
    for (const auto& r : lines) out.push_back(r.action);
    return out;
}

} // namespace

TEST_CASE("exchanges of a client without lines leave one line, with all that they moved")
{
    conversation c;
    c.exchange_once();
    const auto own = c.s.logged();
    REQUIRE(actions(own) == std::vector{audit_action::open, audit_action::close});
    use_up(c.s, client_rate::log_lines);
    for (int i = 0; i < 3; ++i) {
        exchange_again(c, ok);
        REQUIRE(c.wait([&] { return c.heard.ends_with("ok"); }));
        c.heard.clear();
    }
    REQUIRE(c.s.turn_until([&] { return c.s.at.count.closed[ending::finished].read() == 4; }));
    CHECK(c.s.logged().empty());
    c.s.at.audit.next_second();
    const auto sum = c.s.logged();
    REQUIRE(actions(sum) == std::vector{audit_action::close});
    CHECK(sum[0].stands_for == 3);
    CHECK(sum[0].upload == 3 * own[1].upload);
    CHECK(sum[0].download == 3 * own[1].download);
    CHECK(sum[0].host.str() == "up.test");
    CHECK(c.s.at.count.requests[request_mode::http][1].read() == 4);
    CHECK(c.s.at.count.audit_summed.read() == 3);
}

TEST_CASE("an exchange without lines that is refused within has its own after all, in their order")
{
    conversation c;
    c.exchange_once();
    use_up(c.s, client_rate::log_lines);
    CHECK(c.s.logged().size() == 2);
    exchange_again(c, "HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\nok");
    REQUIRE(c.wait([&] { return c.ended; }));
    c.client.reset(); // it is waited for a while, so that the answer reaches it
    REQUIRE(c.wait([&] { return c.s.at.live.empty(); }));
    const auto lines = c.s.logged();
    REQUIRE(actions(lines) == std::vector{audit_action::open, audit_action::deny, audit_action::close});
    CHECK(lines[0].upload == 0);
    CHECK((lines[0].id == lines[1].id && lines[1].id == lines[2].id));
    c.s.at.audit.next_second();
    CHECK(c.s.logged().empty());
}

TEST_CASE("an exchange without lines that lasts has its own when its progress is due")
{
    conversation c;
    c.exchange_once();
    use_up(c.s, client_rate::log_lines);
    CHECK(c.s.logged().size() == 2);
    exchange_again(c, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nok");
    REQUIRE(c.wait([&] { return c.heard.ends_with("ok"); }));
    c.s.pass(limits::progress_interval + std::chrono::seconds{1});
    std::vector<audit_record> lines;
    REQUIRE(c.wait([&] {
        for (const auto& r : c.s.logged()) lines.push_back(r);
        return lines.size() == 2;
    }));
    CHECK(actions(lines) == std::vector{audit_action::open, audit_action::progress});
    REQUIRE(write_now(c.upstream[0], "ok"));
    REQUIRE(c.wait([&] { return c.heard.ends_with("okok"); }));
    REQUIRE(c.wait([&] {
        for (const auto& r : c.s.logged()) lines.push_back(r);
        return lines.size() == 3;
    }));
    CHECK((lines[2].action == audit_action::close && lines[2].stands_for == 1));
}

TEST_CASE("a host that the client has not met gets no exchange without a line, and nothing but the connection reaches it")
{
    conversation c;
    use_up(c.s, client_rate::log_lines);
    REQUIRE(write_now(c.client, c.request("GET")));
    REQUIRE(c.wait([&] { return c.ended; }));
    CHECK(c.answered("HTTP/1.1 429 Too Many Requests: rate\r\n"));
    CHECK((c.seen.empty() || c.seen[0].empty()));
    CHECK(c.s.at.count.over_rate[client_rate::log_lines].read() == 1);
    CHECK(c.s.logged().empty());
    c.s.at.audit.next_second();
    const auto lines = c.s.logged();
    REQUIRE(actions(lines) == std::vector{audit_action::deny});
    CHECK(lines[0].verdict == verdict::rate);
}

TEST_CASE("requests and refusals beyond the pace of a client get rate before anything is decided")
{
    for (const auto limit : {client_rate::requests, client_rate::refusals}) {
        conversation c;
        c.exchange_once();
        CHECK(c.s.logged().size() == 2);
        use_up(c.s, limit);
        const auto decided = c.s.at.count.decision.sum.read();
        REQUIRE(write_now(c.client, c.request("GET")));
        REQUIRE(c.wait([&] { return c.ended; }));
        CHECK(c.answered("X-Exeat-Reason: rate\r\n"));
        CHECK(c.s.at.count.decision.sum.read() == decided);
        CHECK(c.s.at.count.over_rate[limit].read() == 1);
        CHECK(c.s.at.count.denied[verdict::rate][1].read() == 1);
    }
}
