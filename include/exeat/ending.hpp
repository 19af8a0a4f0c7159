// Why a tunnel (or a redirected connection, or the last exchange on a plain-HTTP connection) ended. A closed enum: metric label and
// audit word. Pure; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace exeat {

enum class ending : std::uint8_t {
    finished,      // both directions reached their end
    client_closed, // the client closed while the upstream was still sending
    client_reset,
    upstream_reset,
    idle_timeout,
    policy_revoked,    // a reload removed the permission
    expired,           // the grant or the list expired
    budget,            // the upload budget is spent
    max_age,           // the tunnel reached the entry's max_age
    anomaly,           // a detector with the action "cut" had a finding
    quarantined,       // an analyst quarantined the client or the entry
    audit_unavailable, // its upload waited for an audit log that could not be written
    refused_inside,    // a check inside the tunnel failed: sni_mismatch, ech, not_tls, ...
    upstream_malformed,
    drained, // closed at the end of drain_timeout
    stopped, // second SIGTERM
    internal_error,
};
inline constexpr std::size_t endings = static_cast<std::size_t>(ending::internal_error) + 1;

std::string_view to_string(ending) noexcept;

} // namespace exeat
