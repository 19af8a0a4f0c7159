#include "request_texts.hpp"

#include <doctest/doctest.h>
#include <random>
#include <string>

using namespace exeat;
using namespace exeat::test;

TEST_CASE("a CONNECT names its tunnel")
{
    CHECK(said(connect_ok) == "CONNECT ok.test:443 ");
    const auto r = head_of(connect_ok);
    CHECK(r.to.via == approach::tunnel);
    CHECK(r.bytes == connect_ok.size());
    CHECK(r.body == body_framing{});
    CHECK(r.minor == 1);
    CHECK(said("CONNECT ok.test:443 HTTP/1.0\r\n\r\n") == "CONNECT ok.test:443 ");
    CHECK(said(connect_with("Host: OK.test.\r\n")) == "CONNECT ok.test:443 ");
    CHECK(said(connect_with("Host: ok.test\r\n", "ok.test:8443")) == "CONNECT ok.test:8443 ");
    CHECK(said(connect_with("host:ok.test:443\r\nUser-Agent: x\r\nProxy-Connection: keep-alive\r\n")) == "CONNECT ok.test:443 ");
    CHECK(said(connect_with("Host: [2001:DB8::1]:443\r\n", "[2001:db8::1]:443")) == "CONNECT [2001:db8::1]:443 ");
}

TEST_CASE("bytes behind the head are not the head's, whatever they are")
{
    CHECK(head_of(connect_ok + "\x16\x03\x01").bytes == connect_ok.size());
    CHECK(head_of(connect_ok + "\n\n\n\r\r\n").bytes == connect_ok.size());
    CHECK(head_of(connect_ok + std::string(100'000, '\n')).bytes == connect_ok.size());
}

TEST_CASE("an absolute http URL names host, port and path")
{
    CHECK(said(get_with("")) == "GET ok.test:80 /");
    CHECK(said(get_with("", "HTTP://OK.TEST./a?b=%2F&c")) == "GET ok.test:80 /a?b=%2F&c");
    CHECK(said(get_with("", "http://ok.test")) == "GET ok.test:80 /");
    CHECK(said(get_with("", "http://ok.test:80/")) == "GET ok.test:80 /");
    CHECK(said("GET http://ok.test:8080/x HTTP/1.1\r\nHost: ok.test:8080\r\n\r\n") == "GET ok.test:8080 /x");
    CHECK(said("GET http://[::1]:8080/x HTTP/1.1\r\nHost: [0::1]:8080\r\n\r\n") == "GET [::1]:8080 /x");
    CHECK(said("GET http://ok.test/ HTTP/1.0\r\n\r\n") == "GET ok.test:80 /");
    CHECK(said("OPTIONS http://ok.test HTTP/1.1\r\nHost: ok.test\r\n\r\n") == "OPTIONS ok.test:80 *");
    CHECK(said("OPTIONS http://ok.test/ HTTP/1.1\r\nHost: ok.test\r\n\r\n") == "OPTIONS ok.test:80 /");
    CHECK(head_of(get_with("")).to.via == approach::http);
}

TEST_CASE("a target that is not a hostname and port is refused in every form")
{
    for (const std::string host :
         {"evil.test\\@ok.test", "ok.test@evil.test", "[evil.test]", "[[evil.test]]", "\xe2\x93\x94vil.test", "evil\xe3\x80\x82test",
          "localhost", "*.w.test", "*", ".", "2130706433", "0x7f000001", "127.1", "[fe80::1%25eth0]", "ok..test", "%6fk.test"}) {
        CAPTURE(host);
        CHECK(said(connect_with("", host + ":443")) == "host_syntax");
        CHECK(said(get_with("", "http://" + host + "/")) == "host_syntax");
        CHECK(origin("GET / HTTP/1.1\r\nHost: " + host + "\r\n\r\n") == "host_syntax");
    }
    for (const std::string port : {"", ":", ":0", ":65536", ":4294967739", ":+443", ":0x1bb", ":https", ":443:443"}) {
        CAPTURE(port);
        CHECK(said(connect_with("", "ok.test" + port)) == "host_syntax");
        if (!port.empty()) CHECK(said(get_with("", "http://ok.test" + port + "/")) == "host_syntax");
    }
    const std::string nul{"evil.test\0.ok.test", 18};
    CHECK(said(connect_with("", nul + ":443")) == "host_syntax");
    CHECK(said(get_with("", "http://" + nul + "/")) == "host_syntax");
    CHECK(said(connect_with("Host: " + nul + "\r\n")) == "host_syntax");
    CHECK(said(get_with("Host: " + nul + "\r\n")) == "host_syntax");
    CHECK(said(get_with("", "http:///x")) == "host_syntax");
    CHECK(said(get_with("", "http://user:pw@ok.test/")) == "host_syntax");
}

TEST_CASE("only http URLs are proxied")
{
    for (const auto* target : {"https://ok.test/", "ftp://ok.test/", "urn:ok.test", "http:ok.test", "http:/ok.test", "ok.test:443",
                               "h2+x://ok.test/", "ws://ok.test/"}) {
        CAPTURE(target);
        CHECK(said(get_with("", target)) == "scheme");
    }
}

TEST_CASE("a target of another form, or with octets that no URL has, is refused")
{
    for (const auto* target :
         {"/", "/metrics", "*", "ok.test", "//ok.test/", "://ok.test/", "1http://ok.test/", "http://ok.test/#x", "http://ok.test#x",
          "http://ok.test?x", "http://ok.test/\x7f", "http://ok.test/\t", "http://ok.test/\xc3\xa9", "http://ok.test/\x01"}) {
        CAPTURE(target);
        CHECK(said(get_with("", target)) == "target_form");
    }
    CHECK(said(connect_with("", "/")) == "target_form");
    CHECK(said(connect_with("", "http://ok.test:443/")) == "target_form");
    CHECK(said("OPTIONS * HTTP/1.1\r\nHost: ok.test\r\n\r\n") == "target_form");
}

TEST_CASE("the target and its Host name one place")
{
    CHECK(said("GET http://ok.test/ HTTP/1.1\r\nHost: evil.test\r\n\r\n") == "host_mismatch");
    CHECK(said("GET http://ok.test/ HTTP/1.1\r\nHost: ok.test:8080\r\n\r\n") == "host_mismatch");
    CHECK(said("GET http://ok.test:8080/ HTTP/1.1\r\nHost: ok.test\r\n\r\n") == "host_mismatch");
    CHECK(said("GET http://ok.test/ HTTP/1.0\r\nHost: evil.test\r\n\r\n") == "host_mismatch");
    CHECK(said("GET http://ok.test/ HTTP/1.1\r\nHost: OK.TEST.:80\r\n\r\n") == "GET ok.test:80 /");
}

// What undici 5, @actions/http-client, proxytunnel and ureq send: the proxy's own name. Nothing is forwarded from a CONNECT, so nobody can
// be led astray by it; the name inside the tunnel is compared with the target.
TEST_CASE("a CONNECT goes where its target says, whatever place its Host names")
{
    for (const std::string host : {"evil.test", "evil.test:443", "ok.test:80", "localhost:3128", "exeat", "127.0.0.1:3128", "[::1]:3128",
                                   "proxy_1.egress.svc.cluster.local:3128", "2130706433", "127.1"}) {
        CAPTURE(host);
        const auto bytes = connect_with("Host: " + host + "\r\n");
        CHECK(said(bytes) == "CONNECT ok.test:443 ");
        CHECK(head_of(bytes).other_host);
    }
    for (const std::string host : {"ok.test", "OK.test.:443", "ok.test:443"})
        CHECK_FALSE(head_of(connect_with("Host: " + host + "\r\n")).other_host);
    CHECK_FALSE(head_of("CONNECT ok.test:443 HTTP/1.0\r\n\r\n").other_host);
    CHECK_FALSE(head_of(get_with("")).other_host);
    for (const std::string host :
         {"", ":443", "ok.test:", "ok.test:0", "ok.test:65536", "ok.test:443:443", "ok.test, evil.test", "a b", "a@ok.test", "ok.test/",
          "*.w.test", "[evil.test]", "[::1", "[::1]x", "[fe80::1%25eth0]", "%6fk.test", "ok.test\\", "\xe2\x93\x94vil.test"}) {
        CAPTURE(host);
        CHECK(said(connect_with("Host: " + host + "\r\n")) == "host_syntax");
    }
}

TEST_CASE("of two places that a head names, the refusal knows both")
{
    const auto both = [](const request_scan& scan) {
        const auto& no = std::get<refused_head>(scan);
        CHECK(no.why == verdict::host_mismatch);
        REQUIRE(no.to);
        REQUIRE(no.named);
        return std::string{no.to->host.str()} + ':' + std::to_string(no.to->port) + ' ' + std::string{no.named->host.str()} + ':' +
               std::to_string(no.named->port);
    };
    const target place{*hostname::parse("ok.test"), 80, approach::http};
    CHECK(both(scan_inside_request("GET / HTTP/1.1\r\nHost: evil.test\r\n\r\n", place)) == "ok.test:80 evil.test:80");
    CHECK(both(scan_inside_request("GET http://evil.test:81/ HTTP/1.1\r\nHost: ok.test\r\n\r\n", place)) == "ok.test:80 evil.test:81");
    CHECK(both(scan_proxy_request("GET http://ok.test/ HTTP/1.1\r\nHost: ok.test:8080\r\n\r\n")) == "ok.test:80 ok.test:8080");
    CHECK(both(scan_origin_request("GET / HTTP/1.1\r\nHost: ok.test:80\r\n\r\n", 8080)) == "ok.test:8080 ok.test:80");
}

TEST_CASE("inside a tunnel for plain HTTP every request names the tunnel's own place")
{
    CHECK(inside("GET /x?y HTTP/1.1\r\nHost: OK.test\r\n\r\n") == "GET ok.test:80 /x?y");
    CHECK(inside("GET http://ok.test/x HTTP/1.1\r\nHost: ok.test:80\r\n\r\n") == "GET ok.test:80 /x");
    CHECK(inside("GET / HTTP/1.0\r\n\r\n") == "GET ok.test:80 /");
    CHECK(inside("OPTIONS * HTTP/1.1\r\nHost: ok.test\r\n\r\n") == "OPTIONS ok.test:80 *");
    CHECK(inside("GET / HTTP/1.1\r\nHost: ok.test:8080\r\n\r\n", "ok.test:8080") == "GET ok.test:8080 /");
    CHECK(inside("GET / HTTP/1.1\r\nHost: ok.test\r\n\r\n", "ok.test:8080") == "host_mismatch");
    CHECK(inside("GET / HTTP/1.1\r\nHost: evil.test\r\n\r\n") == "host_mismatch");
    CHECK(inside("GET http://evil.test/ HTTP/1.1\r\nHost: ok.test\r\n\r\n") == "host_mismatch");
    CHECK(inside("GET http://evil.test/ HTTP/1.1\r\nHost: evil.test\r\n\r\n") == "host_mismatch");
    CHECK(inside("GET http://ok.test/ HTTP/1.1\r\nHost: evil.test\r\n\r\n") == "host_mismatch");
    CHECK(inside("GET http://ok.test:8080/ HTTP/1.1\r\nHost: ok.test:8080\r\n\r\n") == "host_mismatch");
    CHECK(inside("GET / HTTP/1.1\r\n\r\n") == "header");
    CHECK(inside("GET / HTTP/1.1\r\nHost: ok.test\r\nHost: ok.test\r\n\r\n") == "header");
    CHECK(inside("GET https://ok.test/ HTTP/1.1\r\nHost: ok.test\r\n\r\n") == "scheme");
    CHECK(inside("CONNECT ok.test:80 HTTP/1.1\r\nHost: ok.test:80\r\n\r\n") == "target_form");
    CHECK(inside("POST / HTTP/1.1\r\nHost: ok.test\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n") == "framing");
    CHECK(inside("\x16\x03\x01") == "request_line");
    CHECK(inside("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n") == "request_line");
    const std::string plain = "GET / HTTP/1.1\r\nHost: ok.test\r\n\r\n";
    for (std::size_t n = 0; n < plain.size(); ++n) REQUIRE(inside(std::string_view{plain}.substr(0, n)) == "more");
}

TEST_CASE("a head that is refused still says where it wanted to go")
{
    const auto place = [](const request_scan& scan) {
        const auto* bad = std::get_if<refused_head>(&scan);
        REQUIRE(bad != nullptr);
        return bad->to ? bad->to->host.authority() + ':' + std::to_string(bad->to->port) : std::string{};
    };
    const auto proxy = [&](std::string_view bytes) { return place(scan_proxy_request(bytes)); };
    CHECK(proxy("GET http://ok.test/ HTTP/1.1\r\nHost: evil.test\r\n\r\n") == "ok.test:80");
    CHECK(proxy("GET http://ok.test:8080/ HTTP/1.1\r\n\r\n") == "ok.test:8080");
    CHECK(proxy(connect_with("")) == "ok.test:443");
    CHECK(proxy(connect_with("Host: ok.test\r\nX : y\r\n")) == "ok.test:443");
    CHECK(proxy(connect_with("Host: ok.test\r\nContent-Length: 5\r\n")) == "ok.test:443");
    CHECK(proxy(get_with("Upgrade: websocket\r\n")) == "ok.test:80");
    CHECK(proxy(post_with("Content-Length: x\r\n")) == "ok.test:80");
    CHECK(proxy("GET http://ok.test/ HTTP/1.1\r\nHost: ok.test\n") == "ok.test:80");
    CHECK(proxy(get_with("X: " + std::string(limits::request_head_bytes, 'w') + "\r\n")) == "ok.test:80");
    CHECK(proxy(connect_with("Host: ok.test\r\n", "ok.test")).empty());
    CHECK(proxy("GET / HTTP/1.1\r\nHost: ok.test\r\n\r\n").empty());
    CHECK(proxy("GET http://ok.test/ HTTP/1.1\n").empty());
    CHECK(proxy(std::string(limits::request_head_bytes + 1, 'G')).empty());
    const auto origin_of = [&](std::string_view bytes) { return place(scan_origin_request(bytes, 80)); };
    CHECK(origin_of("GET / HTTP/1.1\r\nHost: ok.test\r\nUpgrade: websocket\r\n\r\n") == "ok.test:80");
    CHECK(origin_of("GET / HTTP/1.1\r\nHost: ok.test:8443\r\n\r\n") == "ok.test:80"); // the port that was dialled
    CHECK(origin_of("GET / HTTP/1.1\r\n\r\n").empty());
    CHECK(place(scan_inside_request("\x16", *parse_authority("ok.test:80", approach::http))) == "ok.test:80");
}

TEST_CASE("HTTP/1.1 has one Host")
{
    CHECK(said(connect_with("")) == "header");
    CHECK(said("GET http://ok.test/ HTTP/1.1\r\n\r\n") == "header");
    CHECK(said(connect_with("Host: ok.test\r\nHost: ok.test\r\n")) == "header");
    CHECK(said(connect_with("Host: ok.test\r\nhOST: evil.test\r\n")) == "header");
    CHECK(said("GET http://ok.test/ HTTP/1.0\r\nHost: ok.test\r\nHost: ok.test\r\n\r\n") == "header");
    CHECK(said(connect_with("Host:\r\n")) == "host_syntax");
    CHECK(said(connect_with("Host: ok.test, evil.test\r\n")) == "host_syntax");
}

TEST_CASE("a bare LF is refused as soon as it is seen, even where a prefix would look whole")
{
    CHECK(said("GET http://ok.test/ HTTP/1.1\n") == "request_line");
    CHECK(said("GET\n") == "request_line");
    CHECK(said("\n") == "request_line");
    CHECK(said("GET http://ok.test/ HTTP/1.1\r\nHost: ok.test\n") == "header");
    CHECK(said("GET http://ok.test/ HTTP/1.1\r\n\n") == "header");
    CHECK(said("GET http://ok.test/ HTTP/1.1\r\nHost: ok.test\n\r\n\r\n") == "header");
    CHECK(said("GET http://ok.test/ HTTP/1.1\r\nHost: ok.test\r\n\n") == "header");
}

TEST_CASE("what cannot begin a request is refused at its first wrong byte")
{
    for (const std::string text : {"\x16",
                                   "\x16\x03\x01",
                                   "\r\n",
                                   "\r\n\r\nGET",
                                   " GET",
                                   "\x05\x01",
                                   "G\x80",
                                   "(",
                                   "GET\t",
                                   "GET  ",
                                   "GET / X",
                                   "GET / HTTP/2",
                                   "GET / HTTP/1.2",
                                   "GET / http",
                                   "GET http://ok.test/ HTTP/1.1 ",
                                   "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
                                   "PROXY TCP4 192.0.2.1 ",
                                   "PROXY TCP4 192.0.2.1 192.0.2.2 1 443\r\n",
                                   "PROXY UNKNOWN\r\n",
                                   "\r\n\r\n",
                                   "GET http://ok.test/\rx",
                                   "GET http://ok.test/\r\n",
                                   "GET\r\n",
                                   "GET \r\n",
                                   "1.1.1.1 &@2.2.2.2# @3.3.3.3",
                                   "CONNECT 1.1.1.1 &@2.2.2.2# @3.3.3.3:443 HTTP/1.1\r\n"}) {
        CAPTURE(text);
        CHECK(said(text) == "request_line");
        CHECK(origin(text) == "request_line");
    }
    for (const auto* text : {"", "\r", "G", "GET", "GET\r", "GET ", "GET /", "GET /\r", "GET / ", "GET / H", "GET / HTTP/1.1",
                             "GET / HTTP/1.1\r", "GET / HTTP/1.1\r\n", "PROXY TCP4"}) {
        CAPTURE(text);
        CHECK(said(text) == "more");
    }
}

TEST_CASE("a redirected request takes its host from Host and its port from the connection")
{
    CHECK(origin("GET /x?y HTTP/1.1\r\nHost: OK.test\r\n\r\n") == "GET ok.test:80 /x?y");
    CHECK(origin("GET / HTTP/1.0\r\nHost: ok.test\r\n\r\n") == "GET ok.test:80 /");
    CHECK(origin("OPTIONS * HTTP/1.1\r\nHost: ok.test\r\n\r\n") == "OPTIONS ok.test:80 *");
    CHECK(origin("GET / HTTP/1.1\r\nHost: ok.test:8080\r\n\r\n", 8080) == "GET ok.test:8080 /");
    CHECK(origin("GET / HTTP/1.1\r\nHost: ok.test:80\r\n\r\n", 8080) == "host_mismatch");
    CHECK(origin("GET / HTTP/1.1\r\nHost: ok.test\r\n\r\n", 8080) == "host_mismatch");
    CHECK(origin("GET / HTTP/1.1\r\n\r\n") == "header");
    CHECK(origin("GET / HTTP/1.0\r\n\r\n") == "header");
    CHECK(origin("GET / HTTP/1.1\r\nHost: ok.test\r\nHost: ok.test\r\n\r\n") == "header");
    for (const auto* target : {"http://ok.test/", "*", "ok.test", "/#x", "/\x7f", "https://ok.test/"}) {
        CAPTURE(target);
        CHECK(origin("GET " + std::string{target} + " HTTP/1.1\r\nHost: ok.test\r\n\r\n") == "target_form");
    }
    CHECK(origin(connect_ok, 443) == "target_form");
    CHECK(origin(connect_with("Host: ok.test\r\n", "/"), 80) == "target_form");
}

TEST_CASE("a head cut at any byte asks for more, never guesses")
{
    const auto post = post_with("Content-Length: 5\r\nX: y\r\nAccept: application/json\r\n");
    for (const auto& bytes : {connect_ok, get_with("X: y\r\n"), post}) {
        for (std::size_t n = 0; n < bytes.size(); ++n) {
            CAPTURE(n);
            REQUIRE(said(std::string_view{bytes}.substr(0, n)) == "more");
        }
        REQUIRE(said(bytes).find(' ') != std::string::npos);
    }
    const std::string plain = "GET / HTTP/1.1\r\nHost: ok.test\r\n\r\n";
    for (std::size_t n = 0; n < plain.size(); ++n) REQUIRE(origin(std::string_view{plain}.substr(0, n)) == "more");
}

TEST_CASE("whatever a head is changed to, its prefixes never say anything else, and its host stands in the bytes")
{
    constexpr std::string_view sharp = "\r\n\r\n :\t,;@/[]#?\\%.\0\x16";
    const auto seeds = {connect_ok, get_with("X: y\r\nConnection: close\r\n"),
                        post_with("Transfer-Encoding: chunked\r\n") + "5\r\nhello\r\n"};
    std::mt19937 dice{6};
    unsigned heads = 0, refused = 0;
    for (int i = 0; i < 60'000; ++i) {
        std::string bytes = seeds.begin()[dice() % seeds.size()];
        for (auto changes = 1 + dice() % 3; changes > 0; --changes) {
            const auto at = dice() % bytes.size();
            const auto octet = dice() % 2 ? sharp[dice() % sharp.size()] : static_cast<char>(dice());
            if (dice() % 2) bytes[at] = octet;
            else if (dice() % 2) bytes.insert(at, 1, octet);
            else bytes.erase(at, 1 + dice() % 3);
        }
        const auto whole = said(bytes);
        const auto part = said(std::string_view{bytes}.substr(0, dice() % (bytes.size() + 1)));
        const bool consistent = part == "more" || part == whole;
        REQUIRE_MESSAGE(consistent, bytes);
        const auto scan = scan_proxy_request(bytes);
        const auto* head = std::get_if<request_head>(&scan);
        head ? ++heads : ++refused;
        if (!head) continue;
        std::string lower = bytes;
        for (auto& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
        REQUIRE(lower.find(head->to.host.str()) != std::string::npos);
    }
    CHECK(heads > 1'000);
    CHECK(refused > 1'000);
}
