// Expected values: RFC 8446 sections 4.1.2 to 4.1.4 (hellos), 4.2.10 (early data), 5.1 and 5.2 (records), 6 (alerts), appendix D.4.
#include <exeat/tls/hello_retry.hpp>

#include "hello_builder.hpp"

#include <doctest/doctest.h>
#include <string>
#include <vector>

using namespace exeat;
using exeat::test::octets;
using exeat::test::record;
using exeat::test::records;
using phase = hello_watch::phase;

namespace {

// SHA-256 of "HelloRetryRequest", as RFC 8446 section 4.1.3 prints it.
const std::string retry_random = "\xcf\x21\xad\x74\xe5\x9a\x61\x11\xbe\x1d\x8c\x02\x1e\x65\xb8\x91"
                                 "\xc2\xa2\x11\x16\x7a\xbb\x8c\x5e\x07\x9e\x09\xe2\xc8\xa8\x33\x9c";

std::string server_hello(const std::string& random = std::string(32, 'r'))
{
    const std::string body = std::string{"\x03\x03"} + random + std::string(10, '\0');
    return "\x02" + test::vector(body, 3);
}

const std::string retry = record(server_hello(retry_random));
const std::string answer = record(server_hello());
const std::string ccs = record("\x01", 20), warning = record("\x01\x5a", 21), fatal = record("\x02\x28", 21);
const std::string early = record(std::string(300, 'e'), 23);

std::string says(const std::string& name) { return record(test::hello_for(name).message()); }
std::string with_early_data() { return record(test::hello_for("ok.test").extension(42).message()); }

// A machine between a client and a server. `passed` is what went upstream, `held` what waits.
struct connection {
    explicit connection(ech_policy policy = ech_policy::deny) : name{*hostname::parse("ok.test")}, ech{policy} {}
    // `each`: octets that arrive at once.
    verdict client(const std::string& sent, std::size_t each = std::string::npos)
    {
        for (std::size_t at = 0; at < sent.size() && why == verdict::allowed; at += std::min(each, sent.size() - at)) {
            held += sent.substr(at, each);
            const auto s = watch.from_client(octets(held), {name, ech});
            why = s.why;
            passed += held.substr(0, s.pass);
            held.erase(0, s.pass);
        }
        return why;
    }
    verdict server(const std::string& sent, std::size_t each = std::string::npos)
    {
        for (std::size_t at = 0; at < sent.size() && why == verdict::allowed; at += std::min(each, sent.size() - at))
            why = watch.from_server(octets(sent).subspan(at, std::min(each, sent.size() - at)));
        return why;
    }
    hello_watch watch;
    const hostname name;
    const ech_policy ech;
    verdict why = verdict::allowed;
    std::string passed, held;
};

connection after(const std::string& hello, const std::string& from_server = {})
{
    connection c;
    REQUIRE(c.client(hello) == verdict::allowed);
    REQUIRE(c.passed == hello);
    REQUIRE(c.server(from_server) == verdict::allowed);
    return c;
}

} // namespace

TEST_CASE("a HelloRetryRequest is known by its random, however its records are cut, and only when enough of it is there")
{
    for (std::size_t each = 1; each < 60; ++each) {
        for (std::size_t segment : {std::size_t{1}, std::size_t{7}, std::string::npos}) {
            auto c = after(says("ok.test"));
            CHECK(c.server(records(server_hello(retry_random), each), segment) == verdict::allowed);
            CHECK(c.watch.at() == phase::second_hello);
            auto d = after(says("ok.test"));
            CHECK(d.server(records(server_hello(), each), segment) == verdict::allowed);
            CHECK(d.watch.at() == phase::over);
        }
    }
    auto c = after(says("ok.test"), retry.substr(0, 5 + 37));
    CHECK(c.watch.at() == phase::first_answer);
    CHECK(c.server(retry.substr(5 + 37, 1)) == verdict::allowed);
    CHECK(c.watch.at() == phase::second_hello);
}

TEST_CASE("after the ServerHello everything passes")
{
    for (const auto& c : {after(says("ok.test"), answer), after(says("ok.test"), record(server_hello() + "\x0b\x01\x01"))}) {
        auto d = c;
        CHECK(d.client("anything at all") == verdict::allowed);
        CHECK(d.held.empty());
    }
}

TEST_CASE("a second hello must say what the first said, behind any record that may stand before it")
{
    const std::vector<std::string> between{"", ccs, warning, ccs + warning, early, early + ccs, early + warning + early + ccs};
    for (const auto& b : between)
        for (std::size_t each : {std::size_t{1}, std::size_t{5}, std::size_t{100}, std::string::npos}) {
            auto same = after(with_early_data(), retry);
            CHECK(same.client(b + says("ok.test"), each) == verdict::allowed);
            CHECK(same.watch.at() == phase::second_answer);
            CHECK(same.passed == with_early_data() + b + says("ok.test"));
            CHECK(same.server(ccs + answer) == verdict::allowed);
            CHECK(same.watch.at() == phase::over);
            for (const auto& other :
                 {says("evil.test"), record(test::hello_builder{}.usual().message()), records(test::hello_for("evil.test").message(), 3)}) {
                auto c = after(with_early_data(), retry);
                CHECK(c.client(b + other, each) == verdict::sni_changed);
                CHECK(c.passed.find("evil") == std::string::npos);
                CHECK(c.watch.at() == phase::ended);
                CHECK(c.watch.from_client(octets(says("ok.test")), {c.name, ech_policy::deny}).pass == 0);
            }
        }
}

TEST_CASE("a second hello that hides another one is checked as the first was")
{
    // RFC 9849: a second hello of GREASE is the first one's (section 6.2), and that of a real one has no key (section 5).
    const auto with = [](std::size_t key_octets) {
        const auto ech =
            std::string{"\0\0\1\0\1\x7", 6} + test::vector(std::string(key_octets, 'k'), 2) + test::vector(std::string(144, 'p'), 2);
        return record(test::hello_for("ok.test").extension(0xfe0d, ech).message());
    };
    const auto first = with(32), same = first, real = with(0), none = says("ok.test");
    const auto second = [](ech_policy policy, const std::string& before, const std::string& hello) {
        connection c{policy};
        if (c.client(before) != verdict::allowed) return c.why;
        REQUIRE(c.server(retry) == verdict::allowed);
        return c.client(hello);
    };
    CHECK(second(ech_policy::deny, first, none) == verdict::ech);
    CHECK(second(ech_policy::deny, none, same) == verdict::ech);
    CHECK(second(ech_policy::grease, first, same) == verdict::allowed);
    CHECK(second(ech_policy::grease, first, real) == verdict::ech);
    CHECK(second(ech_policy::grease, none, real) == verdict::ech);
    CHECK(second(ech_policy::grease, real, same) == verdict::ech);
    CHECK(second(ech_policy::allow, first, real) == verdict::allowed);
    connection seen{ech_policy::allow};
    CHECK(seen.client(first) == verdict::allowed);
    CHECK(seen.watch.seen() == hidden_hello::outer);
    CHECK(seen.server(retry) == verdict::allowed);
    CHECK(seen.client(real) == verdict::allowed);
    CHECK(seen.watch.seen() == hidden_hello::other);
    connection known{ech_policy::grease};
    known.watch.first_hello_passed(hidden_hello::outer, false);
    CHECK(known.watch.seen() == hidden_hello::outer);
}

TEST_CASE("behind a hello no handshake record passes before the server has answered")
{
    for (const auto& more :
         {says("evil.test"), says("ok.test"), std::string{"\x16"}, record("\x10", 22), ccs + says("ok.test"), warning + says("evil.test")})
        for (std::size_t each : {std::size_t{1}, std::string::npos}) {
            connection c;
            CHECK(c.client(says("ok.test") + more, each) == verdict::tls_malformed);
            CHECK(c.passed.find("evil") == std::string::npos);
        }
    auto again = after(says("ok.test"), retry);
    CHECK(again.client(says("ok.test") + says("evil.test")) == verdict::tls_malformed);
    auto third = after(says("ok.test"), retry);
    REQUIRE(third.client(says("ok.test")) == verdict::allowed);
    CHECK(third.server(retry) == verdict::tls_malformed);
}

TEST_CASE("early data passes only where the first hello offered it, and ends with the second hello")
{
    auto offered = after(with_early_data());
    CHECK(offered.client(ccs + early + early) == verdict::allowed);
    CHECK(offered.passed == with_early_data() + ccs + early + early);
    CHECK(offered.client(record(std::string(16'640, 'e'), 23)) == verdict::allowed);
    CHECK(offered.client(record(std::string(16'641, 'e'), 23)) == verdict::tls_malformed);
    CHECK(after(says("ok.test")).client(early) == verdict::tls_malformed);
    CHECK(after(says("ok.test"), retry).client(early) == verdict::tls_malformed);
    auto second = after(with_early_data(), retry);
    REQUIRE(second.client(with_early_data()) == verdict::allowed);
    CHECK(second.client(early) == verdict::tls_malformed);
}

TEST_CASE("alerts and change_cipher_spec do not end the watch, and each side may send a limited number of them")
{
    for (const auto& one : {ccs, warning}) {
        std::string many;
        for (std::size_t n = 0; n < limits::hello_side_records; ++n) many += one;
        auto c = after(says("ok.test"));
        CHECK(c.server(many) == verdict::allowed);
        CHECK(c.server(retry) == verdict::allowed);
        CHECK(c.watch.at() == phase::second_hello);
        CHECK(c.client(many) == verdict::allowed);
        auto from_client = c, from_server = c;
        CHECK(c.client(says("evil.test")) == verdict::sni_changed);
        CHECK(from_client.client(one) == verdict::tls_malformed);
        CHECK(from_server.server(one) == verdict::tls_malformed);
    }
}

TEST_CASE("after a fatal alert no hello passes")
{
    for (const auto& end : {fatal, record(std::string{"\x01\0", 2}, 21)}) {
        auto c = after(says("ok.test"), retry);
        CHECK(c.client(end) == verdict::allowed);
        CHECK(c.client(says("ok.test")) == verdict::tls_malformed);
        CHECK(c.passed == says("ok.test") + end);
    }
    for (const auto& before : {std::string{}, retry}) {
        auto c = after(says("ok.test"), before + fatal);
        CHECK(c.watch.at() == phase::ended);
        CHECK(c.client(says("ok.test")) == verdict::allowed);
        CHECK(c.passed == says("ok.test"));
    }
}

TEST_CASE("to a server that speaks no TLS no further byte passes")
{
    for (const auto& text :
         {std::string{"HTTP/1.1 400 Bad Request\r\n"}, std::string{"\x16\x02\x00"}, std::string{"\0", 1}, record("x", 24)})
        for (std::size_t each : {std::size_t{1}, std::string::npos}) {
            auto c = after(says("ok.test"));
            CHECK(c.server(text, each) == verdict::allowed);
            CHECK(c.watch.at() == phase::ended);
            CHECK(c.client(ccs + says("ok.test")) == verdict::allowed);
            CHECK(c.passed == says("ok.test"));
        }
}

TEST_CASE("records that no server sends before its ServerHello are malformed, however they are cut")
{
    const std::vector<std::string> wrong{
        record("", 22),                                                 // an empty fragment
        record("\x02", 22) + ccs,                                       // a message cut by another record
        record(std::string{"\x0b\0\0\x01\0", 5}),                       // Certificate
        record(std::string{"\x06\0\0\x02\3\4", 6}),                     // the HelloRetryRequest of drafts
        record(std::string{"\x02\0\0\x21", 4} + std::string(33, '\0')), // too short for its random
        record("x", 23),                                                // application_data
        record("\x01", 21),
        record("\x03\x5a", 21),
        record("\x01\x5a\x01", 21), // alerts
        record("\x02", 20),
        record("\x01\x01", 20),                           // change_cipher_spec
        record("\x01\x5a", 21) + "HTTP/1.1",              // no TLS behind TLS
        record("\x01\x5a", 21) + std::string{"\x16\x02"}, // another version behind it
        std::string{"\x16\x03\x03\x40\x01", 5},           // a record that is too large
        retry + retry,
        retry + answer, // no second hello came between
    };
    for (const auto& w : wrong)
        for (std::size_t each : {std::size_t{1}, std::size_t{3}, std::string::npos}) {
            auto c = after(says("ok.test"));
            CHECK(c.server(w, each) == verdict::tls_malformed);
            CHECK(c.watch.at() == phase::ended);
        }
    connection c;
    CHECK(c.server(answer) == verdict::tls_malformed); // before it was asked
}

TEST_CASE("records that no client sends between its hellos are malformed, however they are cut")
{
    const std::vector<std::string> wrong{
        "GET / HTTP/1.1",
        record("x", 24),
        record(std::string{"\x01\0", 2}, 20),
        record("\x02", 20),
        record("\x01", 21),
        record(std::string{"\0\x5a", 2}, 21),
        record("", 23),
        std::string{"\x17\x03\x03\xff\xff", 5},
        std::string{"\x14\x02"},
        std::string{"\x80\x2e\x01\x03\x03", 5}, // SSLv2
        record(""),
        record("\x10"),
        records(test::hello_for("ok.test").message(), 100).substr(0, 105) + warning,
        record(test::hello_for("ok.test").message() + "\x01"), // more behind the hello in its record
    };
    for (const auto& w : wrong)
        for (std::size_t each : {std::size_t{1}, std::size_t{3}, std::string::npos}) {
            auto c = after(with_early_data(), retry);
            CHECK(c.client(w, each) == verdict::tls_malformed);
            CHECK(c.passed == with_early_data());
        }
}

TEST_CASE("what a client sends between a retry and its second hello is bounded")
{
    const auto second = says("ok.test");
    const auto room = limits::retry_flight_bytes - second.size();
    for (std::size_t extra : {0, 1})
        for (std::size_t each : {std::size_t{1'000}, std::string::npos}) {
            std::string flight;
            for (int n = 0; n < 3; ++n) flight += record(std::string(16'000, 'e'), 23);
            flight += record(std::string(room - flight.size() - 5 + extra, 'e'), 23);
            auto c = after(with_early_data(), retry);
            CHECK(c.client(flight + second, each) == (extra == 0 ? verdict::allowed : verdict::tls_malformed));
        }
}
