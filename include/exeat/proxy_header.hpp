// Reads the header by which a load balancer reports the client at the start of a connection: the PROXY protocol, versions 1 and 2
// (HAProxy's proxy-protocol.txt; section numbers refer to it). The scanner keeps no state: its input is everything received so far. The
// listener determines the senders whose header is trusted. Pure; any thread.
#pragma once

#include <exeat/ip_address.hpp>
#include <exeat/scan.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>

namespace exeat {

struct proxied_client {
    ip_address source;
    std::uint16_t port = 0;
};

struct proxy_header {
    std::optional<proxied_client> client; // none: the connection is the sender's own (LOCAL), or the client is not known (UNKNOWN, UNSPEC)
    std::size_t bytes = 0;                // length of the header in the input
};

using proxy_header_scan = std::variant<need_more, proxy_header, malformed>;

// need_more is returned only while seen.size() < limits::proxy_header_bytes.
proxy_header_scan scan_proxy_header(std::string_view seen) noexcept;

} // namespace exeat
