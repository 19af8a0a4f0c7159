#include <exeat/request_head.hpp>

#include <doctest/doctest.h>
#include <random>
#include <string>

using namespace exeat;

namespace {

using kind = body_framing::kind;

std::string told(const response_scan& scan)
{
    if (std::holds_alternative<need_more>(scan)) return "more";
    if (const auto* bad = std::get_if<malformed>(&scan)) return std::string{to_string(bad->why)};
    const auto& r = std::get<response_head>(scan);
    return std::to_string(r.status) + ' ' + std::string{r.reason};
}
std::string said(std::string_view seen, std::string_view method = "GET") { return told(scan_response_head(seen, method)); }

std::string answer(std::string_view fields, std::string_view line = "HTTP/1.1 200 OK")
{
    return std::string{line} + "\r\n" + std::string{fields} + "\r\n";
}

response_head head_of(const std::string& bytes, std::string_view method = "GET")
{
    const auto scan = scan_response_head(bytes, method);
    REQUIRE_MESSAGE(std::holds_alternative<response_head>(scan), told(scan));
    return std::get<response_head>(scan);
}

} // namespace

TEST_CASE("a response has a version, a status and a reason")
{
    CHECK(said(answer("")) == "200 OK");
    CHECK(said(answer("", "HTTP/1.0 404 Not  Found \xc3\xa9")) == "404 Not  Found \xc3\xa9");
    CHECK(said(answer("", "HTTP/1.1 599 ")) == "599 ");
    CHECK(said(answer("", "HTTP/1.1 100 Continue")) == "100 Continue");
    CHECK(head_of(answer("", "HTTP/1.0 200 OK")).minor == 0);
    CHECK(head_of(answer("A: b\r\n") + "body\n").bytes == answer("A: b\r\n").size());
}

TEST_CASE("a status line that could be read two ways refuses the response")
{
    for (const auto* line : {"HTTP/1.1 200",
                             "HTTP/1.1 99 OK",
                             "HTTP/1.1 099 OK",
                             "HTTP/1.1 600 OK",
                             "HTTP/1.1 2000 OK",
                             "HTTP/1.1 20x OK",
                             "HTTP/1.1 +20 OK",
                             "HTTP/1.1  200 OK",
                             "HTTP/1.1\t200 OK",
                             "HTTP/1.2 200 OK",
                             "HTTP/2 200 OK",
                             "http/1.1 200 OK",
                             "ICY 200 OK",
                             "HTTP/1.1 200\tOK",
                             "HTTP/1.1 200 O\rK",
                             "HTTP/1.1 200 \x01",
                             " HTTP/1.1 200 OK",
                             "\r\nHTTP/1.1 200 OK",
                             "",
                             "SSH-2.0-x"}) {
        CAPTURE(line);
        CHECK(said(answer("", line)) == "upstream_malformed");
    }
}

TEST_CASE("nobody asked to switch protocols")
{
    CHECK(said(answer("Upgrade: h2c\r\nConnection: upgrade\r\n", "HTTP/1.1 101 Switching Protocols")) == "upstream_malformed");
    CHECK(said(answer("Upgrade: h2c\r\n")) == "200 OK");
}

TEST_CASE("a body ends where the head and the method say")
{
    const auto body = [](std::string_view fields, std::string_view line = "HTTP/1.1 200 OK", std::string_view method = "GET") {
        return head_of(answer(fields, line), method).body;
    };
    CHECK(body("") == body_framing{kind::until_close});
    CHECK(body("Content-Length: 0\r\n") == body_framing{kind::length, 0});
    CHECK(body("content-length: 42\r\n") == body_framing{kind::length, 42});
    CHECK(body("Transfer-Encoding: CHUNKED\r\n") == body_framing{kind::chunked});
    CHECK(body("Content-Length: 42\r\n", "HTTP/1.1 200 OK", "HEAD") == body_framing{});
    CHECK(body("Transfer-Encoding: chunked\r\n", "HTTP/1.1 200 OK", "HEAD") == body_framing{});
    CHECK(body("Content-Length: 42\r\n", "HTTP/1.1 200 OK", "head") == body_framing{kind::length, 42});
    CHECK(body("Content-Length: 42\r\n", "HTTP/1.1 304 Not Modified") == body_framing{});
    CHECK(body("", "HTTP/1.1 204 No Content") == body_framing{});
    CHECK(body("Content-Length: 0\r\n", "HTTP/1.1 204 No Content") == body_framing{});
    CHECK(body("", "HTTP/1.1 103 Early Hints") == body_framing{});
}

TEST_CASE("a body that two readers could end in two places refuses the response")
{
    for (const std::string fields :
         {"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "Content-Length: 5\r\nContent-Length: 5\r\n", "Content-Length: 5, 5\r\n",
          "Content-Length: +5\r\n", "Content-Length:\r\n", "Transfer-Encoding: gzip, chunked\r\n", "Transfer-Encoding: identity\r\n",
          "Transfer-Encoding: xchunked\r\n", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"}) {
        CAPTURE(fields);
        CHECK(said(answer(fields)) == "upstream_malformed");
        CHECK(said(answer(fields), "HEAD") == "upstream_malformed");
        CHECK(said(answer(fields, "HTTP/1.1 304 Not Modified")) == "upstream_malformed");
    }
    CHECK(said(answer("Transfer-Encoding: chunked\r\n", "HTTP/1.0 200 OK")) == "upstream_malformed");
    for (const auto* line : {"HTTP/1.1 204 No Content", "HTTP/1.1 100 Continue"}) {
        CHECK(said(answer("Content-Length: 5\r\n", line)) == "upstream_malformed");
        CHECK(said(answer("Transfer-Encoding: chunked\r\n", line)) == "upstream_malformed");
    }
}

TEST_CASE("a field line that could be read two ways refuses the response")
{
    for (const std::string line : {"X : y", " X: y", "X", ": y", "X: a\rb", "X: a\r\n b", "X: \x02"}) {
        CAPTURE(line);
        CHECK(said(answer("A: b\r\n" + line + "\r\n")) == "upstream_malformed");
    }
    CHECK(said("HTTP/1.1 200 OK\n") == "upstream_malformed");
    CHECK(said("HTTP/1.1 200 OK\r\nA: b\n") == "upstream_malformed");
    CHECK(said("HTTP/1.1 200 OK\r\n\n") == "upstream_malformed");
}

TEST_CASE("a connection is used again only when both its ends know where the response ends")
{
    CHECK(head_of(answer("Content-Length: 1\r\n")).keep_alive);
    CHECK_FALSE(head_of(answer("")).keep_alive);
    CHECK_FALSE(head_of(answer("Content-Length: 1\r\nConnection: close\r\n")).keep_alive);
    CHECK_FALSE(head_of(answer("Content-Length: 1\r\n", "HTTP/1.0 200 OK")).keep_alive);
    CHECK(head_of(answer("Content-Length: 1\r\nConnection: keep-alive\r\n", "HTTP/1.0 200 OK")).keep_alive);
    CHECK(head_of(answer("Content-Length: 1\r\n"), "HEAD").keep_alive);
}

TEST_CASE("a response's head has a largest size and a largest number of fields")
{
    const auto empty = answer("X: \r\n").size();
    const auto sized = [empty](std::size_t bytes) { return answer("X: " + std::string(bytes - empty, 'w') + "\r\n"); };
    CHECK(said(sized(limits::response_head_bytes)) == "200 OK");
    CHECK(said(sized(limits::response_head_bytes + 1)) == "upstream_malformed");
    CHECK(said(sized(limits::response_head_bytes + 1).substr(0, limits::response_head_bytes - 1)) == "more");
    std::string fields;
    for (std::size_t i = 0; i < limits::header_fields; ++i) fields += "X: y\r\n";
    CHECK(said(answer(fields)) == "200 OK");
    CHECK(said(answer(fields + "X: y\r\n")) == "upstream_malformed");
}

TEST_CASE("a response cut at any byte asks for more, never guesses")
{
    const auto bytes = answer("Content-Length: 5\r\nX: y\r\n");
    for (std::size_t n = 0; n < bytes.size(); ++n) {
        CAPTURE(n);
        REQUIRE(said(std::string_view{bytes}.substr(0, n)) == "more");
    }
}

TEST_CASE("whatever a response is changed to, its prefixes never say anything else")
{
    constexpr std::string_view sharp = "\r\n\r\n :\t,;1\0";
    const auto seed = answer("Content-Length: 5\r\nX: y\r\nConnection: close\r\n") + "hello";
    std::mt19937 dice{7};
    unsigned heads = 0, refused = 0;
    for (int i = 0; i < 40'000; ++i) {
        auto bytes = seed;
        for (auto changes = 1 + dice() % 3; changes > 0; --changes) {
            const auto at = dice() % bytes.size();
            if (dice() % 2) bytes[at] = sharp[dice() % sharp.size()];
            else bytes.insert(at, 1, static_cast<char>(dice()));
        }
        const auto whole = said(bytes);
        const auto part = said(std::string_view{bytes}.substr(0, dice() % (bytes.size() + 1)));
        const bool consistent = part == "more" || part == whole;
        REQUIRE_MESSAGE(consistent, bytes);
        whole == "upstream_malformed" || whole == "more" ? ++refused : ++heads;
    }
    CHECK(heads > 1'000);
    CHECK(refused > 1'000);
}
