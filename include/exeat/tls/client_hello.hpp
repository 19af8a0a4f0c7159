// Reads a TLS ClientHello (RFC 8446 section 4.1.2, RFC 6066 section 3, RFC 9849) as a server would: the handshake message is first
// reassembled from its records. The scanner keeps no state: its input is everything received so far. Pure; any thread.
#pragma once

#include <exeat/hostname.hpp>
#include <exeat/limits.hpp>
#include <exeat/scan.hpp>
#include <exeat/tls/ech.hpp>

#include <cstddef>
#include <optional>
#include <span>
#include <variant>

namespace exeat {

struct client_hello {
    std::optional<hostname> server_name; // none: no server_name extension
    hidden_hello hidden = hidden_hello::none;
    bool early_data = false; // early_data (42): application_data may follow before the server has answered
    std::size_t bytes = 0;   // length of the hello's records in the input
};

using hello_scan = std::variant<need_more, client_hello, malformed>;

// `seen` is everything the client sent so far. need_more is returned only while seen.size() < limits::held_hello_bytes. The verdict of
// malformed is not_tls, tls_malformed, or host_syntax for a server name that is not a hostname.
hello_scan scan_client_hello(std::span<const std::byte> seen);

} // namespace exeat
