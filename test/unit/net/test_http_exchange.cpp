// Plain HTTP over one client connection: what is kept upstream owes nothing in either direction (law 10).
#include "conversation.hpp"

using namespace exeat;
using namespace exeat::net;
using namespace exeat::testing;

TEST_CASE("a second request uses the connection again when the first owes nothing")
{
    conversation c;
    for (int i = 1; i <= 2; ++i) {
        c.heard.clear();
        REQUIRE(write_now(c.client, c.request("GET")));
        REQUIRE(c.wait([&] { return c.upstream.size() == 1 && std::count(c.seen[0].begin(), c.seen[0].end(), 'G') == i; }));
        REQUIRE(write_now(c.upstream[0], ok));
        REQUIRE(c.wait([&] { return c.answered("ok"); }));
    }
    CHECK(c.upstream.size() == 1);
}

TEST_CASE("an answer before the body is whole ends both connections: nothing that follows lands in the rest of it")
{
    conversation c;
    REQUIRE(write_now(c.client, c.request("POST", "Content-Length: 100000\r\n") + std::string(1'000, 'b')));
    REQUIRE(c.wait([&] { return !c.seen.empty() && c.seen[0].size() > 1'000; }));
    REQUIRE(write_now(c.upstream[0], ok));
    REQUIRE(c.wait([&] { return c.answered("ok"); }));
    CHECK(c.wait([&] { return c.ended; }));
    CHECK(c.heard.find("Connection: close") != std::string::npos);
    CHECK(c.upstream.size() == 1);
}

TEST_CASE("octets behind an answer, and an answer that closes, leave no connection to use again")
{
    for (const auto* answer : {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\n",
                               "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok",
                               "HTTP/1.0 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\nok"}) {
        CAPTURE(answer);
        conversation c;
        REQUIRE(write_now(c.client, c.request("GET")));
        REQUIRE(c.wait([&] { return !c.seen.empty() && !c.seen[0].empty(); }));
        REQUIRE(write_now(c.upstream[0], answer));
        REQUIRE(c.wait([&] { return c.answered("ok"); }));
        if (c.ended) continue;
        REQUIRE(write_now(c.client, c.request("GET")));
        CHECK(c.wait([&] { return c.upstream.size() == 2 || c.ended; }));
        CHECK(std::count(c.seen[0].begin(), c.seen[0].end(), 'G') == 1);
    }
}

TEST_CASE("an idle connection between two requests holds no list, and its next request is judged by the one in force")
{
    conversation c;
    REQUIRE(write_now(c.client, c.request("GET")));
    REQUIRE(c.wait([&] { return !c.seen.empty() && !c.seen[0].empty(); }));
    REQUIRE(write_now(c.upstream[0], ok));
    REQUIRE(c.wait([&] { return c.answered("ok"); }));
    const std::weak_ptr<const policy> first = c.s.at.policy_now().rules;
    c.s.reload(compiled({}, {}, one_group));
    CHECK(first.expired());
    REQUIRE(write_now(c.client, c.request("GET")));
    CHECK(c.wait([&] { return c.answered("not_allowed"); }));
    CHECK(std::count(c.seen[0].begin(), c.seen[0].end(), 'G') == 1);
}

// RFC 9110 section 9.2.2 and RFC 9112 section 9.3.1: the race that every kept connection has.
TEST_CASE("a request whose kept connection had ended is sent once more, on a new one, where that changes nothing")
{
    for (const auto* method : {"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"}) {
        CAPTURE(method);
        conversation c;
        c.exchange_once();
        c.s.logged();
        const auto first = c.seen[0].size();
        c.meet_the_end(method);
        REQUIRE(c.wait([&] { return c.upstream.size() == 2 && c.seen[1].size() == c.seen[0].size() - first; }));
        CHECK(c.seen[1] == c.seen[0].substr(first));
        CHECK(c.heard.empty());
        REQUIRE(write_now(c.upstream[1], "HTTP/1.1 204 No Content\r\n\r\n"));
        REQUIRE(c.wait([&] { return c.answered("204 No Content"); }));
        CHECK(c.s.at.count.sent_again.read() == 1);
        // To whoever reads the log these are two requests, and what left twice is counted twice.
        const auto lines = c.s.logged();
        REQUIRE(lines.size() == 4);
        CHECK(lines[1].action == audit_action::close);
        CHECK(lines[1].ended == ending::upstream_reset);
        CHECK(lines[1].upload == c.seen[1].size());
        CHECK(lines[2].action == audit_action::open);
        CHECK(lines[3].ended == ending::finished);
        CHECK(lines[3].upload == c.seen[1].size());
        CHECK(c.s.at.count.rules[2].upload.read() == c.seen[0].size() + c.seen[1].size());
        for (const auto& of_group : c.s.at.count.denied[verdict::connect_failure]) CHECK(of_group.read() == 0);
        // And the new connection is kept.
        c.heard.clear();
        REQUIRE(write_now(c.client, c.request("GET")));
        CHECK(c.wait([&] { return c.seen[1].find("GET", c.seen[0].size() - first) != std::string::npos; }));
    }
}

TEST_CASE("what must not be sent twice ends as it would have without a proxy")
{
    for (const auto& [method, headers] : {std::pair{"POST", ""},
                                          {"POST", "Content-Length: 0\r\n"},
                                          {"PATCH", ""},
                                          {"GETX", ""},
                                          {"PUT", "Content-Length: 5\r\n"},
                                          {"DELETE", "Transfer-Encoding: chunked\r\n"}}) {
        CAPTURE(method);
        CAPTURE(headers);
        conversation c;
        c.exchange_once();
        c.meet_the_end(method, headers);
        CHECK(c.wait([&] { return c.ended; }));
        CHECK(c.heard.empty());
        CHECK(c.upstream.size() == 1);
        CHECK(c.s.at.count.sent_again.read() == 0);
        c.client.reset();
        REQUIRE(c.s.turn_until([&] { return c.s.at.live.empty(); }));
        const auto lines = c.s.logged();
        CHECK(lines.back().action == audit_action::close);
        CHECK(lines.back().ended == ending::upstream_reset);
    }
}

TEST_CASE("a request is sent once more only where no octet of an answer came, and only once")
{
    SUBCASE("an answer that stops at its first octet is none that may be asked for again")
    {
        conversation c;
        c.exchange_once();
        c.meet_the_end("GET", {}, "H");
        CHECK(c.wait([&] { return c.answered("502 Bad Gateway"); }));
        CHECK(c.upstream.size() == 1);
    }
    SUBCASE("an interim answer is one")
    {
        conversation c;
        c.exchange_once();
        c.meet_the_end("GET", {}, "HTTP/1.1 103 Early Hints\r\n\r\n");
        CHECK(c.wait([&] { return c.ended; }));
        CHECK(c.upstream.size() == 1);
    }
    SUBCASE("a connection that was new has no excuse")
    {
        conversation c;
        REQUIRE(write_now(c.client, c.request("GET")));
        REQUIRE(c.wait([&] { return !c.seen.empty() && !c.seen[0].empty(); }));
        c.upstream[0].reset();
        CHECK(c.wait([&] { return c.answered("502 Bad Gateway"); }));
        CHECK(c.upstream.size() == 1);
    }
    SUBCASE("the second one ends as well")
    {
        conversation c;
        c.exchange_once();
        c.meet_the_end("GET");
        REQUIRE(c.wait([&] { return c.upstream.size() == 2 && !c.seen[1].empty(); }));
        c.upstream[1].reset();
        CHECK(c.wait([&] { return c.answered("connect_failure"); }));
        CHECK(c.upstream.size() == 2);
        CHECK(c.s.at.count.sent_again.read() == 1);
    }
    SUBCASE("requests that are pipelined behind it wait for it, and follow it")
    {
        conversation c;
        c.exchange_once();
        const auto before = c.seen[0].size();
        REQUIRE(write_now(c.client, c.request("GET", "X: first\r\n") + c.request("GET", "X: second\r\n")));
        REQUIRE(c.wait([&] { return c.seen[0].size() > before; }));
        c.upstream[0].reset();
        REQUIRE(c.wait([&] { return c.upstream.size() == 2 && !c.seen[1].empty(); }));
        REQUIRE(write_now(c.upstream[1], ok));
        REQUIRE(c.wait([&] { return c.seen[1].find("X: second") != std::string::npos; }));
        CHECK(c.seen[0].find("X: second") == std::string::npos);
        CHECK(c.seen[1].find("X: first") < c.seen[1].find("X: second"));
    }
}

TEST_CASE("a request that is sent once more is judged, budgeted and logged once more")
{
    SUBCASE("the budget has room for what left, and not for its repetition")
    {
        std::size_t head = 0;
        {
            conversation measured;
            measured.exchange_once();
            head = measured.seen[0].size();
        }
        conversation c{2 * head};
        c.exchange_once();
        c.meet_the_end("GET");
        CHECK(c.wait([&] { return c.answered("X-Exeat-Reason: budget"); }));
        CHECK(c.upstream.size() == 1);
    }
    SUBCASE("a list that has changed meanwhile ends it")
    {
        conversation c;
        c.exchange_once();
        const auto before = c.seen[0].size();
        REQUIRE(write_now(c.client, c.request("GET")));
        REQUIRE(c.wait([&] { return c.seen[0].size() > before; }));
        c.s.reload(compiled({}, {}, one_group));
        c.upstream[0].reset();
        CHECK(c.wait([&] { return c.ended; }));
        CHECK(c.upstream.size() == 1);
        CHECK(c.s.at.count.sent_again.read() == 0);
    }
    SUBCASE("nothing leaves when it cannot be logged")
    {
        conversation c;
        c.exchange_once();
        const auto before = c.seen[0].size();
        REQUIRE(write_now(c.client, c.request("GET")));
        REQUIRE(c.wait([&] { return c.seen[0].size() > before; }));
        c.s.healthy = false;
        c.upstream[0].reset();
        CHECK(c.wait([&] { return c.answered("audit_unavailable"); }));
        CHECK(c.upstream.size() == 1);
    }
}
