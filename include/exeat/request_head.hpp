// Strict reading of HTTP/1.x heads (RFC 9112, RFC 9110). A scan has one of three results; nothing is repaired or guessed: bare LF,
// obs-fold, white space before a colon, repeated framing or Host fields are refused. The views in a head point into the scanned bytes and
// are valid as long as those. Pure; any thread.
#pragma once

#include <exeat/limits.hpp>
#include <exeat/scan.hpp>
#include <exeat/target.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>

namespace exeat {

// How long a message body is (RFC 9112 section 6).
struct body_framing {
    enum class kind : std::uint8_t { none, length, chunked, until_close };
    kind how = kind::none;
    std::uint64_t length = 0; // for kind::length
    bool operator==(const body_framing&) const = default;
};

// A validated block of field lines. Iterates without allocating.
class header_fields {
public:
    struct field {
        std::string_view name, value; // value without surrounding white space
    };
    explicit header_fields(std::string_view block = {}) noexcept : rest_{block} {}
    // The next field, or false at the end.
    bool next(field& out) noexcept;
    std::string_view block() const noexcept { return rest_; }

private:
    std::string_view rest_;
};

struct request_head {
    std::string_view method;
    target to;             // via is tunnel for CONNECT, http otherwise
    std::string_view path; // origin-form for the upstream: "/x?y"; "*" for OPTIONS *; empty for CONNECT
    unsigned minor = 1;    // HTTP/1.minor
    header_fields fields;
    body_framing body;
    bool keep_alive = true; // the client requests a persistent connection (RFC 9112 section 9.3)
    bool accepts_json = false;
    bool other_host = false; // the Host of a CONNECT names another host or port than its target
    std::size_t bytes = 0;   // of the head, with its empty line
};
struct refused_head {
    verdict why;
    std::optional<target> to{};    // the target of the head, if it could be read
    std::optional<target> named{}; // host_mismatch: the other target that it names
};
using request_scan = std::variant<need_more, request_head, refused_head>;

// All scans: an earlier scan of the first `known` bytes of `seen` returned need_more, so they are not searched again.
// On a proxy listener: CONNECT host:port, or an absolute-form http:// request; an origin-form request is target_form. The Host of a CONNECT
// varies between clients, and may even name the proxy: it must be present once and well-formed, and is not used.
request_scan scan_proxy_request(std::string_view seen, std::size_t known = 0);
// On a redirected connection: origin-form; the host is that of the one Host field, `port` that of the original destination.
request_scan scan_origin_request(std::string_view seen, std::uint16_t port, std::size_t known = 0);
// Inside a CONNECT tunnel to `to` for plain HTTP: origin-form or absolute-form; both must name that host and port.
request_scan scan_inside_request(std::string_view seen, const target& to, std::size_t known = 0);

struct response_head {
    unsigned status = 0;
    unsigned minor = 1;
    std::string_view reason;
    header_fields fields;
    body_framing body;      // depends on the request's method and the status (HEAD, 204, 304: none)
    bool keep_alive = true; // the upstream connection can be used again
    std::size_t bytes = 0;
};
using response_scan = std::variant<need_more, response_head, malformed>; // malformed is always upstream_malformed

// `method` is the request's. 101 is malformed, because exeat never requests an upgrade.
response_scan scan_response_head(std::string_view seen, std::string_view method, std::size_t known = 0);

// The names in the Connection fields of a validated head, sorted once, so that each field name is found by a binary search.
class connection_options {
public:
    explicit connection_options(header_fields) noexcept;
    bool name(std::string_view field) const noexcept;

private:
    static bool before(std::string_view, std::string_view) noexcept;

    std::array<std::string_view, limits::connection_options> names_; // only the first count_ are set
    std::size_t count_ = 0;
};

// Whether a field is hop-by-hop (RFC 9110 section 7.6.1) and never forwarded; the head's Connection options may name more.
bool hop_by_hop(std::string_view name, const connection_options&) noexcept;

bool equals_ignoring_case(std::string_view a, std::string_view b) noexcept;

} // namespace exeat
