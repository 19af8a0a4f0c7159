// The destination of a request: one host, one port, and the way it was requested. Immutable value; any thread.
#pragma once

#include <exeat/hostname.hpp>

#include <cstdint>

namespace exeat {

// How the client reaches the host; decide() checks it against the rule's protocol.
enum class approach : std::uint8_t {
    tunnel, // CONNECT: TLS or raw bytes, depending on the rule
    tls,    // a ClientHello on a redirected or sni connection
    http,   // a plain HTTP request
};

struct target {
    hostname host;
    std::uint16_t port;
    approach via;

    bool operator==(const target&) const = default;
};

// "1" to "65535", one to five digits and nothing else; host_syntax otherwise. Leading zeros are accepted.
boost::system::result<std::uint16_t, verdict> parse_port(std::string_view digits) noexcept;

// uri-host ":" port (RFC 9112 section 3.2.3); the port is required: host_syntax otherwise.
boost::system::result<target, verdict> parse_authority(std::string_view text, approach via);
// The same with an optional port, as in a Host field (RFC 9110 section 7.2) or an http:// URL; "host:" is host_syntax.
boost::system::result<target, verdict> parse_authority(std::string_view text, approach via, std::uint16_t default_port);
// Whether the text has the form of a Host field, even if its name is not a valid target here, such as "localhost:3128".
bool is_host_field(std::string_view text);

} // namespace exeat
