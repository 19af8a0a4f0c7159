// Requests as text, and what the scanners say about them in one line. For tests.
#pragma once

#include <exeat/request_head.hpp>

#include <doctest/doctest.h>
#include <string>

namespace exeat::test {

// What a scan said, as one line: "more", a verdict, or "METHOD host:port path".
inline std::string told(const request_scan& scan)
{
    if (std::holds_alternative<need_more>(scan)) return "more";
    if (const auto* bad = std::get_if<refused_head>(&scan)) return std::string{to_string(bad->why)};
    const auto& r = std::get<request_head>(scan);
    return std::string{r.method} + ' ' + r.to.host.authority() + ':' + std::to_string(r.to.port) + ' ' + std::string{r.path};
}

inline std::string said(std::string_view seen) { return told(scan_proxy_request(seen)); }
inline std::string origin(std::string_view seen, std::uint16_t port = 80) { return told(scan_origin_request(seen, port)); }
inline std::string inside(std::string_view seen, std::string_view place = "ok.test:80")
{
    return told(scan_inside_request(seen, *parse_authority(place, approach::http)));
}

// One request with these field lines; each ends in CRLF.
inline std::string connect_with(std::string_view fields, std::string_view target = "ok.test:443")
{
    return "CONNECT " + std::string{target} + " HTTP/1.1\r\n" + std::string{fields} + "\r\n";
}
inline std::string get_with(std::string_view fields, std::string_view target = "http://ok.test/")
{
    return "GET " + std::string{target} + " HTTP/1.1\r\nHost: ok.test\r\n" + std::string{fields} + "\r\n";
}
inline std::string post_with(std::string_view fields)
{
    return "POST http://ok.test/ HTTP/1.1\r\nHost: ok.test\r\n" + std::string{fields} + "\r\n";
}

// Its views point into `bytes`.
inline request_head head_of(const std::string& bytes)
{
    auto scan = scan_proxy_request(bytes);
    REQUIRE_MESSAGE(std::holds_alternative<request_head>(scan), told(scan));
    return std::get<request_head>(std::move(scan));
}

inline const std::string connect_ok = connect_with("Host: ok.test:443\r\n");

} // namespace exeat::test
