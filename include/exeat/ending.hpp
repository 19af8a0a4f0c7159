// Why a tunnel (or a redirected connection, or the last exchange on a plain-HTTP connection) ended. A closed enum: metric label and
// audit word. Pure; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace exeat {

enum class ending : std::uint8_t {
    finished,      // both directions reached their end
    client_closed, // the client went while the upstream still had something to say
    client_reset,
    upstream_reset,
    idle_timeout,
    policy_revoked,    // a reload took the permission away
    expired,           // the grant or the list ran out
    budget,            // the upload budget is spent
    max_age,           // the entry lets no tunnel live longer
    anomaly,           // a detector that is told to cut found something
    quarantined,       // an analyst holds the client or the entry back
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
