// Reads the header that a load balancer puts before a connection to say who the client is: the PROXY protocol, versions 1 and 2
// (HAProxy's proxy-protocol.txt; sections are cited from it). The scanner keeps no state: it is given everything seen so far. Whose
// header is believed is the listener's to say. Pure; any thread.
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
    std::optional<proxied_client> client; // none: the sender speaks for itself (LOCAL) or does not know for whom (UNKNOWN, UNSPEC)
    std::size_t bytes = 0;                // of the input that the header takes
};

using proxy_header_scan = std::variant<need_more, proxy_header, malformed>;

// need_more is only said while seen.size() < limits::proxy_header_bytes.
proxy_header_scan scan_proxy_header(std::string_view seen) noexcept;

} // namespace exeat
