// Plain HTTP inside a CONNECT tunnel, and clients that say nothing.
#include "conversation.hpp"

using namespace exeat;
using namespace exeat::net;
using namespace exeat::testing;

namespace {

struct tunnel_for_http : conversation {
    tunnel_for_http()
    {
        const auto place = "up.test:" + std::to_string(origin.port());
        REQUIRE(write_now(client, "CONNECT " + place + " HTTP/1.1\r\nHost: " + place + "\r\n\r\n"));
        REQUIRE(wait([&] { return answered("200 Connection established\r\n\r\n"); }));
        heard.clear();
    }
    std::string inside(std::string_view path) const
    {
        return "GET " + std::string{path} + " HTTP/1.1\r\nHost: up.test:" + std::to_string(origin.port()) + "\r\n\r\n";
    }
};

} // namespace

TEST_CASE("a tunnel for plain HTTP dials nobody before a request inside was judged, and then is a connection like any other")
{
    tunnel_for_http c;
    CHECK(c.serve() == 0);
    CHECK(c.s.logged().empty());
    for (int i = 1; i <= 2; ++i) {
        c.heard.clear();
        REQUIRE(write_now(c.client, c.inside("/n")));
        REQUIRE(c.wait([&] { return c.upstream.size() == 1 && std::count(c.seen[0].begin(), c.seen[0].end(), 'G') == i; }));
        REQUIRE(write_now(c.upstream[0], ok));
        REQUIRE(c.wait([&] { return c.answered("ok"); }));
    }
    const auto lines = c.s.logged();
    REQUIRE(lines.size() == 4);
    for (const auto& line : lines) CHECK(line.mode == request_mode::http);
    CHECK(c.seen[0].find("Via: 1.1 exeat") != std::string::npos);
}

TEST_CASE("inside a tunnel for plain HTTP whatever is no request for its place is refused, and nobody is dialled")
{
    for (const auto& [bytes, reason] : {std::pair<std::string, std::string>{"GET / HTTP/1.1\r\nHost: evil.test\r\n\r\n", "host_mismatch"},
                                        {"CONNECT up.test:80 HTTP/1.1\r\nHost: up.test:80\r\n\r\n", "target_form"},
                                        {"SSH-2.0-OpenSSH_9.2\r\n", "request_line"}}) {
        CAPTURE(bytes);
        tunnel_for_http c;
        REQUIRE(write_now(c.client, bytes));
        CHECK(c.wait([&] { return c.answered("X-Exeat-Reason: " + reason) && c.ended; }));
        CHECK(c.upstream.empty());
        const auto lines = c.s.logged();
        REQUIRE(lines.size() == 1);
        CHECK(lines[0].action == audit_action::deny);
        CHECK(lines[0].host.str() == "up.test");
        CHECK(lines[0].port == c.origin.port());
    }
}

TEST_CASE("a TLS hello inside a tunnel for plain HTTP gets an alert: the entry is for another protocol")
{
    tunnel_for_http c;
    REQUIRE(write_now(c.client, std::string_view{"\x16\x03\x01\x02\x00\x01", 6}));
    CHECK(c.wait([&] { return c.ended; }));
    CHECK(c.heard == std::string_view{"\x15\x03\x03\x00\x02\x02\x31", 7}); // access_denied
    CHECK(c.upstream.empty());
    const auto lines = c.s.logged();
    REQUIRE(lines.size() == 1);
    CHECK(lines[0].verdict == verdict::protocol_not_allowed);
    CHECK(lines[0].mode == request_mode::connect);
    CHECK(lines[0].host.str() == "up.test");
    CHECK(lines[0].rule_id != 0); // the entry that has the place, for another protocol
}

TEST_CASE("who opens a tunnel for plain HTTP, or a connection, and says nothing is let go without a word")
{
    SUBCASE("in a tunnel")
    {
        tunnel_for_http c;
        c.s.pass(c.s.settings.head_timeout + 1s);
        CHECK(c.wait([&] { return c.ended; }));
        CHECK(c.heard.empty());
        CHECK(c.s.at.count.silent.read() == 1);
        CHECK(c.s.logged().empty());
    }
    SUBCASE("on a connection")
    {
        conversation c;
        c.s.turn();
        c.s.pass(c.s.settings.head_timeout + 1s);
        CHECK(c.wait([&] { return c.ended; }));
        CHECK(c.heard.empty());
        CHECK(c.s.at.count.silent.read() == 1);
        CHECK(c.s.logged().empty());
    }
    SUBCASE("on a kept connection, which has said something")
    {
        conversation c;
        c.exchange_once();
        c.s.pass(c.s.settings.idle_timeout + 1s);
        CHECK(c.wait([&] { return c.ended; }));
        CHECK(c.heard.empty());
        CHECK(c.s.at.count.silent.read() == 0);
    }
    SUBCASE("part of a head is a request that did not come in time")
    {
        conversation c;
        REQUIRE(write_now(c.client, "G"));
        c.s.turn();
        c.s.pass(c.s.settings.head_timeout + 1s);
        CHECK(c.wait([&] { return c.answered("408 Request Timeout"); }));
        CHECK(c.s.at.count.silent.read() == 0);
    }
}
