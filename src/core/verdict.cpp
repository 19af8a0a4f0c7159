#include <exeat/verdict.hpp>

#include <exeat/enum_array.hpp>
#include <exeat/limits.hpp>

#include <array>

namespace exeat {

namespace {

// Error types of RFC 9209 section 2.3.
constexpr std::string_view unreadable = "http_request_error";
constexpr std::string_view denied = "http_request_denied";
constexpr std::string_view prohibited = "destination_ip_prohibited";
constexpr std::string_view loop = "proxy_loop_detected";
constexpr std::string_view own_answer = "proxy_internal_response";

// Alert descriptions of RFC 8446 section 6.
constexpr std::uint8_t close_notify = 0;
constexpr std::uint8_t access_denied = 49;
constexpr std::uint8_t decode_error = 50;
constexpr std::uint8_t internal_error = 80;
constexpr std::uint8_t unrecognized_name = 112;

static_assert(limits::header_fields == 128); // a sentence below contains this number

struct meaning {
    verdict of;
    std::string_view word;
    unsigned status;
    std::string_view error;
    std::uint8_t alert;
    std::string_view sentence;
};

constexpr enum_array<verdict, meaning, verdicts> meanings{{{
    {verdict::allowed, "allowed", 200, "", close_notify, "a rule of the allowlist lets it out"},

    {verdict::host_syntax, "host_syntax", 400, unreadable, decode_error,
     "the host or port is not written as exeat reads them: a dotted ASCII name or an IP address, and a port from 1 to 65535"},
    {verdict::target_form, "target_form", 400, unreadable, decode_error,
     "this listener does not take a request target of this form; a proxy wants CONNECT host:port or an absolute http:// URL, and of a path "
     "only the octets that a URI may have: the others as %XX"},
    {verdict::request_line, "request_line", 400, unreadable, decode_error, "the first line is not an HTTP/1.0 or HTTP/1.1 request line"},
    {verdict::header, "header", 400, unreadable, decode_error,
     "a header line is malformed, there are more than 128 of them, or Host is missing or there twice"},
    {verdict::framing, "framing", 400, unreadable, decode_error,
     "Content-Length and Transfer-Encoding leave room for doubt about where the body ends"},
    {verdict::chunk, "chunk", 400, unreadable, decode_error, "the chunked body is malformed"},
    {verdict::scheme, "scheme", 400, unreadable, decode_error, "only http:// URLs are proxied; use CONNECT for everything else"},
    {verdict::host_mismatch, "host_mismatch", 400, unreadable, decode_error,
     "the request names another place in its Host field or its URL than the one that it is for"},
    {verdict::connect_body, "connect_body", 400, unreadable, decode_error, "a CONNECT request may not announce a body"},
    {verdict::head_too_large, "head_too_large", 431, unreadable, decode_error, "the request's head is larger than exeat reads"},
    {verdict::head_timeout, "head_timeout", 408, unreadable, decode_error, "the request's head did not arrive in time"},
    {verdict::proxy_header, "proxy_header", 400, unreadable, decode_error,
     "this listener wants a PROXY protocol header (version 1 or 2) first, and what came is none that exeat reads"},

    {verdict::source_not_allowed, "source_not_allowed", 403, denied, access_denied, "the client's address is in no group of the allowlist"},
    {verdict::proxy_sender, "proxy_sender", 403, denied, access_denied,
     "this listener serves only the load balancers in its proxy_protocol_from, and the connection came from elsewhere"},
    {verdict::pod_unknown, "pod_unknown", 403, denied, access_denied,
     "the client's address is in a network of pods, and no running pod is known to have it alone"},
    {verdict::identity_required, "identity_required", 403, denied, access_denied,
     "this listener wants to know who asks, and nothing said so"},
    {verdict::not_allowed, "not_allowed", 403, denied, unrecognized_name, "no rule of the allowlist names this host for this client"},
    {verdict::denied_by_rule, "denied_by_rule", 403, denied, unrecognized_name,
     "a deny rule names this host or an address of it, and deny wins over every allow"},
    {verdict::port_not_allowed, "port_not_allowed", 403, denied, access_denied, "the host is allowed, but not on this port"},
    {verdict::protocol_not_allowed, "protocol_not_allowed", 403, denied, access_denied,
     "the host is allowed, but not over this protocol; the rule says which"},
    {verdict::ip_literal, "ip_literal", 403, denied, unrecognized_name, "an IP address was asked for that no rule lists; ask by name"},
    {verdict::expired, "expired", 403, denied, access_denied, "the rule that allowed this host has expired"},
    {verdict::policy_expired, "policy_expired", 403, denied, access_denied,
     "the whole allowlist has expired, so everything is refused until it is renewed"},
    {verdict::budget, "budget", 403, denied, access_denied, "this client has used up its upload budget here"},
    {verdict::name_budget, "name_budget", 403, denied, access_denied,
     "this client has asked for too many different names under one wildcard"},
    {verdict::anomaly, "anomaly", 403, denied, access_denied,
     "a detector found what this client does here suspicious, so it is shut out for a while"},
    {verdict::upgrade, "upgrade", 403, denied, access_denied, "a WebSocket over plain HTTP is not let through; use wss://"},
    {verdict::self_connect, "self_connect", 403, loop, access_denied,
     "the name resolves to an address of the machine that the proxy runs on, or the target is one of the proxy's own ports"},

    {verdict::addr_class, "addr_class", 403, prohibited, access_denied,
     "the name is allowed, but resolves to an address that is not public; a private endpoint needs a private_link entry"},
    {verdict::private_link_public, "private_link_public", 403, prohibited, access_denied,
     "this host must resolve to its private endpoint, but resolved to a public address"},
    {verdict::private_link_cidr, "private_link_cidr", 403, prohibited, access_denied,
     "this host resolved to an address outside of the networks that its private_link entry lists"},

    {verdict::sni_missing, "sni_missing", 403, denied, unrecognized_name, "the TLS ClientHello names no server"},
    {verdict::sni_mismatch, "sni_mismatch", 403, denied, unrecognized_name,
     "the TLS ClientHello names another server than the request did"},
    {verdict::sni_changed, "sni_changed", 403, denied, unrecognized_name, "the second TLS ClientHello names another server than the first"},
    {verdict::ech, "ech", 403, denied, access_denied,
     "the TLS ClientHello may hide a server name (ECH or ESNI), and the rule does not permit that; browsers always send ECH: see ech in "
     "the "
     "manual of allowlist.toml"},
    {verdict::not_tls, "not_tls", 403, denied, decode_error, "the rule wants TLS, and the client sent something else"},
    {verdict::tls_malformed, "tls_malformed", 403, denied, decode_error, "the TLS ClientHello is malformed or larger than exeat reads"},
    {verdict::hello_timeout, "hello_timeout", 408, denied, decode_error, "the TLS ClientHello did not arrive in time"},

    {verdict::no_orig_dst, "no_orig_dst", 403, denied, access_denied,
     "the connection was not redirected here, so where it wanted to go is unknown; use the proxy port"},

    {verdict::dns_failure, "dns_failure", 502, "dns_error", internal_error, "the name is allowed, but could not be resolved"},
    {verdict::dns_overload, "dns_overload", 503, own_answer, internal_error, "too many names are being resolved right now; try again"},
    {verdict::connect_failure, "connect_failure", 502, "connection_refused", internal_error,
     "the destination could not be reached, or closed the connection without an answer"},
    {verdict::connect_timeout, "connect_timeout", 504, "connection_timeout", internal_error, "the destination did not answer in time"},
    {verdict::upstream_malformed, "upstream_malformed", 502, "http_protocol_error", internal_error,
     "the destination's answer is not valid HTTP/1.1 and was not passed on"},
    {verdict::overload, "overload", 503, own_answer, internal_error, "the proxy is at one of its limits; try again"},
    {verdict::rate, "rate", 429, denied, access_denied,
     "this client opens, asks or is refused more often than any client may; try again later, and less often"},
    {verdict::identity_unavailable, "identity_unavailable", 503, own_answer, internal_error,
     "which pod asks is not known, because what exeat knows of the pods is not up to date; try again"},
    {verdict::audit_unavailable, "audit_unavailable", 503, own_answer, internal_error,
     "the audit log cannot be written, and nothing leaves without a record"},
    {verdict::policy_revoked, "policy_revoked", 403, denied, access_denied, "the allowlist changed and no longer lets this out"},
    {verdict::quarantined, "quarantined", 403, denied, access_denied,
     "an analyst has quarantined this client or this entry for a while; 'exeat quarantine --list' on the proxy's machine says until when"},
}}};

constexpr bool in_order()
{
    for (std::size_t i = 0; i < meanings.size(); ++i)
        if (static_cast<std::size_t>(meanings[i].of) != i) return false;
    return true;
}
static_assert(in_order());

const meaning& of(verdict v) noexcept { return meanings[v]; }

} // namespace

std::string_view to_string(verdict v) noexcept { return of(v).word; }

std::optional<verdict> verdict_from(std::string_view word) noexcept
{
    for (const auto& m : meanings)
        if (m.word == word) return m.of;
    return std::nullopt;
}

unsigned http_status(verdict v) noexcept { return of(v).status; }
std::string_view proxy_error(verdict v) noexcept { return of(v).error; }
std::uint8_t tls_alert(verdict v) noexcept { return of(v).alert; }
std::string_view explanation(verdict v) noexcept { return of(v).sentence; }

bool reportable(verdict v) noexcept
{
    return v == verdict::not_allowed || v == verdict::port_not_allowed || v == verdict::protocol_not_allowed || v == verdict::budget;
}

} // namespace exeat
