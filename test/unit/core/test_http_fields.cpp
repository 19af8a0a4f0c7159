#include "request_texts.hpp"

#include <doctest/doctest.h>
#include <string>

using namespace exeat;
using namespace exeat::test;

TEST_CASE("a field line that could be read two ways refuses the head")
{
    for (const std::string line :
         {"X : y", " X: y", "\tX: y", ": y", "X", "X\t: y", "X(: y", "X: a\rb", "X: \x01", "X: a\x7f", "X\xc3\xa9: y", "X: y\r"}) {
        CAPTURE(line);
        CHECK(said(get_with(line + "\r\n")) == "header");
        CHECK(said("GET http://ok.test/ HTTP/1.1\r\n" + line + "\r\nHost: ok.test\r\n\r\n") == "header");
    }
    CHECK(said(get_with("X: a\r\n b\r\n")) == "header");
    CHECK(said(get_with(std::string{"X: a\0b\r\n", 8})) == "header");
    CHECK(said(get_with("X:\r\nY: \t \r\nZ: a\tb \xc3\xa9\r\n!#$%&'*+-.^_`|~09: z\r\n")) == "GET ok.test:80 /");
}

TEST_CASE("bodies are framed one way only")
{
    using kind = body_framing::kind;
    CHECK(head_of(post_with("")).body == body_framing{});
    CHECK(head_of(post_with("Content-Length: 0\r\n")).body == body_framing{kind::length, 0});
    CHECK(head_of(post_with("Content-Length:  \t5 \r\n")).body == body_framing{kind::length, 5});
    CHECK(head_of(post_with("Content-Length: 999999999999999999\r\n")).body == body_framing{kind::length, 999'999'999'999'999'999});
    CHECK(head_of(post_with("Transfer-Encoding: Chunked\r\n")).body == body_framing{kind::chunked});
    for (const std::string fields : {"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
                                     "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
                                     "Content-Length:\r\n",
                                     "Content-Length: +5\r\n",
                                     "Content-Length: -5\r\n",
                                     "Content-Length: 5,6\r\n",
                                     "Content-Length: 5, 5\r\n",
                                     "Content-Length: 5\r\nContent-Length: 5\r\n",
                                     "Content-Length: 0x5\r\n",
                                     "Content-Length: 5 5\r\n",
                                     "Content-Length: 1000000000000000000\r\n",
                                     "Content-Length: 5.0\r\n",
                                     "Transfer-Encoding: xchunked\r\n",
                                     "Transfer-Encoding: chunked;x\r\n",
                                     "Transfer-Encoding: chunked, identity\r\n",
                                     "Transfer-Encoding: gzip, chunked\r\n",
                                     "Transfer-Encoding: chunked, chunked\r\n",
                                     "Transfer-Encoding: identity\r\n",
                                     "Transfer-Encoding:\r\n",
                                     "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
                                     "Transfer-Encoding: \"chunked\"\r\n",
                                     "transfer-encoding: chunked,\r\n"}) {
        CAPTURE(fields);
        CHECK(said(post_with(fields)) == "framing");
    }
    CHECK(said("POST http://ok.test/ HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n") == "framing");
}

TEST_CASE("a CONNECT announces no body")
{
    for (const std::string fields :
         {"Content-Length: 5\r\n", "Content-Length: 00\r\n", "Content-Length: +0\r\n", "Content-Length: 0, 0\r\n", "Content-Length:\r\n",
          "Content-Length: 0\r\nContent-Length: 0\r\n", "Transfer-Encoding: chunked\r\n", "Transfer-Encoding: identity\r\n",
          "Content-Length: 0\r\nTransfer-Encoding: chunked\r\n", "Content-Length: x\r\nContent-Length: y\r\n"}) {
        CAPTURE(fields);
        CHECK(said(connect_with("Host: ok.test\r\n" + fields)) == "connect_body");
    }
    CHECK(said(connect_with("Host: ok.test\r\nContent-Length: 0\r\n")) == "CONNECT ok.test:443 ");
    CHECK(head_of(connect_with("content-length:0 \r\nHost: ok.test\r\n")).body == body_framing{});
}

// RFC 9110 section 7.8: a server may pass over an Upgrade, and a client that cannot do without one is told so by 426.
TEST_CASE("an offer to change the protocol is no reason to refuse, but a WebSocket is nothing without its")
{
    constexpr auto taken = "GET ok.test:80 /";
    CHECK(said(get_with("Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: x\r\n")) == taken);
    CHECK(said(get_with("Upgrade: TLS/1.2\r\nConnection: Upgrade\r\n")) == taken);
    CHECK(said(get_with("Connection: keep-alive ,\tuPgrade\r\n")) == taken);
    CHECK(said(get_with("Connection: upgraded\r\nX-Upgrade: websocket\r\n")) == taken);
    CHECK(said(get_with("Upgrade: websockets, x/websocket\r\n")) == taken);
    CHECK(origin("GET / HTTP/1.1\r\nHost: ok.test\r\nUpgrade: h2c\r\n\r\n") == taken);
    for (const std::string offer :
         {"upgrade: websocket", "Upgrade: WebSocket/13", "Upgrade: TLS/1.2,\twebsocket", "Upgrade: h2c\r\nUpgrade: websocket"}) {
        CAPTURE(offer);
        CHECK(said(get_with(offer + "\r\n")) == "upgrade");
        CHECK(said(connect_with("Host: ok.test\r\n" + offer + "\r\n")) == "upgrade");
        CHECK(origin("GET / HTTP/1.1\r\nHost: ok.test\r\n" + offer + "\r\n\r\n") == "upgrade");
        CHECK(inside("GET / HTTP/1.1\r\nHost: ok.test\r\n" + offer + "\r\n\r\n") == "upgrade");
    }
    const auto bytes = get_with("");
    const connection_options none{head_of(bytes).fields};
    for (const auto* name : {"Upgrade", "HTTP2-Settings", "Connection"}) CHECK(hop_by_hop(name, none));
}

TEST_CASE("a head has a largest size and a largest number of fields")
{
    const auto sized = [](std::size_t bytes) {
        const auto empty = get_with("X: \r\n").size();
        return get_with("X: " + std::string(bytes - empty, 'w') + "\r\n");
    };
    REQUIRE(sized(limits::request_head_bytes).size() == limits::request_head_bytes);
    CHECK(said(sized(limits::request_head_bytes)) == "GET ok.test:80 /");
    CHECK(said(sized(limits::request_head_bytes + 1)) == "head_too_large");
    CHECK(said(sized(limits::request_head_bytes + 1) + sized(1'000)) == "head_too_large");
    CHECK(said(std::string(limits::request_head_bytes - 1, 'G')) == "more");
    CHECK(said(std::string(limits::request_head_bytes + 1, 'G')) == "head_too_large");
    std::string fields;
    for (std::size_t i = 1; i < limits::header_fields; ++i) fields += "X: y\r\n"; // and Host
    CHECK(said(get_with(fields)) == "GET ok.test:80 /");
    CHECK(said(get_with(fields + "X: y\r\n")) == "header");
}

TEST_CASE("the connection goes on as the version and Connection say")
{
    CHECK(head_of(get_with("")).keep_alive);
    CHECK_FALSE(head_of(get_with("Connection: close\r\n")).keep_alive);
    CHECK_FALSE(head_of(get_with("Connection: x, Close\r\nConnection: keep-alive\r\n")).keep_alive);
    CHECK(head_of(get_with("Connection: closed\r\n")).keep_alive);
    CHECK_FALSE(head_of("GET http://ok.test/ HTTP/1.0\r\n\r\n").keep_alive);
    CHECK(head_of("GET http://ok.test/ HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n").keep_alive);
    CHECK(head_of("GET http://ok.test/ HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n").minor == 0);
}

TEST_CASE("the Connection fields of a head list so many options together, empty ones counted")
{
    const auto times = [](std::size_t n, const std::string& text) {
        std::string out;
        for (std::size_t i = 0; i < n; ++i) out += text;
        return out;
    };
    constexpr auto most = limits::connection_options;
    CHECK(said(get_with("Connection: " + times(most - 1, "x,") + "x\r\n")) == "GET ok.test:80 /");
    CHECK(said(get_with("Connection: " + times(most, "x,") + "x\r\n")) == "header");
    CHECK(said(get_with("Connection: " + times(most + 1, ",") + "\r\n")) == "header");
    CHECK(said(get_with(times(most, "Connection: x\r\n"))) == "GET ok.test:80 /");
    CHECK(said(get_with(times(most, "Connection: x\r\n") + "Connection: x\r\n")) == "header");
    CHECK_FALSE(head_of(get_with("Connection: " + times(most - 1, "x,") + "close\r\n")).keep_alive);
    std::string names = "Connection: ", fields;
    for (std::size_t i = 0; i < most; ++i) {
        const auto name = "X-" + std::to_string(i * 7919 % 1000);
        names += (i > 0 ? "," : "") + name;
        fields += name + ": y\r\n";
    }
    const auto bytes = get_with(names + "\r\n" + fields.substr(0, fields.find("X-", 600)) + "Y: z\r\n");
    auto rest = head_of(bytes).fields;
    const connection_options options{rest};
    for (header_fields::field f; rest.next(f);) {
        CAPTURE(f.name);
        CHECK(hop_by_hop(f.name, options) == (f.name != "Host" && f.name != "Y"));
    }
}

TEST_CASE("of the Accept fields of a head so many elements are read")
{
    std::string before;
    for (std::size_t i = 1; i < limits::accept_ranges; ++i) before += "a/b,";
    CHECK(head_of(get_with("Accept: " + before + "application/json\r\n")).accepts_json);
    CHECK_FALSE(head_of(get_with("Accept: " + before + "a/b,application/json\r\n")).accepts_json);
    CHECK_FALSE(head_of(get_with("Accept: " + before + "a/b\r\nAccept: application/json\r\n")).accepts_json);
}

TEST_CASE("a client that accepts JSON is known by it")
{
    CHECK(head_of(get_with("Accept: text/html, Application/JSON;q=0.5\r\n")).accepts_json);
    CHECK(head_of(get_with("Accept: text/html\r\nAccept: application/json\r\n")).accepts_json);
    CHECK_FALSE(head_of(get_with("Accept: */*\r\n")).accepts_json);
    CHECK_FALSE(head_of(get_with("Accept: application/jsonx\r\nX: application/json\r\n")).accepts_json);
}

TEST_CASE("fields are walked in order, without their white space")
{
    const auto bytes = get_with("A:1\r\nB:  two words\t \r\nA:\r\n");
    auto fields = head_of(bytes).fields;
    std::string walked;
    for (header_fields::field f; fields.next(f);) walked += std::string{f.name} + '=' + std::string{f.value} + ';';
    CHECK(walked == "Host=ok.test;A=1;B=two words;A=;");
}

TEST_CASE("fields of one hop go no further, and Connection cannot name away what frames and addresses a message")
{
    const auto bytes = get_with("Connection: X-Secret, host,Content-Length\r\nConnection: close\r\nX-Secret: 1\r\nX-Open: 1\r\n");
    const connection_options options{head_of(bytes).fields};
    for (const auto* name : {"Connection", "Proxy-Connection", "keep-alive", "TE", "Trailer", "Transfer-Encoding", "Upgrade",
                             "Proxy-Authenticate", "Proxy-Authorization", "x-secret", "Close"}) {
        CAPTURE(name);
        CHECK(hop_by_hop(name, options));
    }
    for (const auto* name : {"Host", "Content-Length", "X-Open", "Accept", "X-Secre", "Authorization", ""}) {
        CAPTURE(name);
        CHECK_FALSE(hop_by_hop(name, options));
    }
}
