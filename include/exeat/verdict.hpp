// The closed list of exeat's verdicts on a request. The word is the same in the HTTP reply, the audit log and the metric label. Pure
// values; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace exeat {

enum class verdict : std::uint8_t {
    allowed,
    // syntax: the request is invalid or ambiguous
    host_syntax,
    target_form,
    request_line,
    header,
    framing,
    chunk,
    scheme,
    host_mismatch,
    connect_body,
    head_too_large,
    head_timeout,
    proxy_header,
    // policy: the request was read, and no rule allows it
    source_not_allowed,
    proxy_sender,
    pod_unknown,
    identity_required,
    not_allowed,
    denied_by_rule,
    port_not_allowed,
    protocol_not_allowed,
    ip_literal,
    expired,
    policy_expired,
    budget,
    name_budget,
    anomaly,
    upgrade,
    self_connect,
    // addresses: the name is allowed, the address that it resolves to is not
    addr_class,
    private_link_public,
    private_link_cidr,
    // TLS inside the tunnel or on a redirected connection
    sni_missing,
    sni_mismatch,
    sni_changed,
    ech,
    not_tls,
    tls_malformed,
    hello_timeout,
    // transparent mode
    no_orig_dst,
    // trouble: allowed, but not possible now
    dns_failure,
    dns_overload,
    connect_failure,
    connect_timeout,
    upstream_malformed,
    overload,
    rate,
    identity_unavailable,
    audit_unavailable,
    policy_revoked,
    quarantined,
};

inline constexpr std::size_t verdicts = static_cast<std::size_t>(verdict::quarantined) + 1;

// The word, for example "not_allowed".
std::string_view to_string(verdict) noexcept;
std::optional<verdict> verdict_from(std::string_view word) noexcept;

// The status of the HTTP reply (RFC 9110); 200 for allowed.
unsigned http_status(verdict) noexcept;
// The error type of the Proxy-Status field (RFC 9209 section 2.3), for example "http_request_denied".
std::string_view proxy_error(verdict) noexcept;
// The TLS alert description (RFC 8446 section 6) that a refused TLS client gets.
std::uint8_t tls_alert(verdict) noexcept;
// One sentence for users that describes the problem, without a full stop.
std::string_view explanation(verdict) noexcept;
// Whether report mode lets the request pass: verdicts that depend only on the lists, and a spent budget.
bool reportable(verdict) noexcept;

} // namespace exeat
