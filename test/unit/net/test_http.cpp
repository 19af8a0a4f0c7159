#include <net/http/http_body.hpp>
#include <net/http/http_heads.hpp>
#include <net/refuse.hpp>

#include <doctest/doctest.h>
#include <variant>

using namespace exeat;
using namespace exeat::net;

namespace {
body_framing chunked() { return {body_framing::kind::chunked, 0}; }
body_framing of_length(std::uint64_t n) { return {body_framing::kind::length, n}; }

std::string through(http_body& b, std::string_view in, std::size_t step)
{
    std::string out, held{in};
    while (!held.empty() && !b.done() && !b.malformed()) {
        const auto piece = held.substr(0, step);
        const auto used = b.take(piece, out);
        held.erase(0, used);
        if (used < piece.size()) break;
    }
    return out;
}
} // namespace

TEST_CASE("a body of a length takes that many bytes and leaves the rest to the next message")
{
    http_body b{of_length(5), true};
    std::string out;
    CHECK(b.take("hel", out) == 3);
    CHECK_FALSE(b.done());
    CHECK(b.take("loGET", out) == 2);
    CHECK(b.done());
    CHECK(out == "hello");
}

TEST_CASE("chunks are written anew, without extensions and trailers, wherever the reads fall")
{
    constexpr std::string_view in = "5;secret=weights\r\nhello\r\n1\r\n!\r\n0\r\nX-Hidden: 1\r\n\r\n";
    for (std::size_t step = 1; step <= in.size(); ++step) {
        http_body b{chunked(), false};
        CHECK(through(b, in, step) == "hello!");
        CHECK(b.done());
        http_body again{chunked(), true};
        const auto out = through(again, in, step);
        CHECK(out.find("secret") == std::string::npos);
        CHECK(out.find("Hidden") == std::string::npos);
        CHECK(out.substr(out.size() - 5) == "0\r\n\r\n");
        http_body plain{chunked(), false};
        CHECK(through(plain, out, out.size()) == "hello!");
    }
}

TEST_CASE("a malformed chunk stops the body")
{
    http_body b{chunked(), true};
    std::string out;
    b.take("5\nhello", out);
    CHECK(b.malformed());
    CHECK_FALSE(b.done());
}

TEST_CASE("a body that ends with the connection is whole only then, others are not")
{
    http_body open{{body_framing::kind::until_close, 0}, false};
    std::string out;
    CHECK(open.take("abc", out) == 3);
    CHECK_FALSE(open.done());
    CHECK(open.end_of_input());
    http_body cut{of_length(5), false};
    cut.take("abc", out);
    CHECK_FALSE(cut.end_of_input());
}

TEST_CASE("a forwarded request names its target once and carries no field of one hop")
{
    constexpr std::string_view seen = "GET http://a.test:8080/x?y HTTP/1.1\r\nHost: a.test:8080\r\nConnection: close, X-Private\r\n"
                                      "X-Private: 1\r\nProxy-Authorization: Basic eA==\r\nTE: trailers\r\nAccept: */*\r\n\r\n";
    const auto scan = scan_proxy_request(seen);
    REQUIRE(std::holds_alternative<request_head>(scan));
    CHECK(head_for_upstream(std::get<request_head>(scan)) ==
          "GET /x?y HTTP/1.1\r\nHost: a.test:8080\r\nAccept: */*\r\nVia: 1.1 exeat\r\n\r\n");
}

TEST_CASE("a refusal says the same word in every place, and its body cannot be broken by its text")
{
    refused_request no{};
    no.why = verdict::not_allowed;
    no.host = "evil.test";
    no.port = 443;
    const auto text = refusal_reply(no, 7, 3, "ask \"net\"");
    CHECK(text.starts_with("HTTP/1.1 403 Forbidden: not_allowed\r\n"));
    CHECK(text.find("Proxy-Status: exeat; error=http_request_denied; details=\"not_allowed\"\r\n") != std::string::npos);
    CHECK(text.find("X-Exeat-Reason: not_allowed\r\n") != std::string::npos);
    CHECK(text.find("Connection: close\r\n") != std::string::npos);
    CHECK(text.find("ask \"net\"") != std::string::npos);
    CHECK(text.find("evil.test:443") != std::string::npos);
    no.json = true;
    const auto json = refusal_reply(no, 7, 3, "ask \"net\"\n");
    CHECK(json.find("\"help\":\"ask \\\"net\\\"\\n\"") != std::string::npos);
}
