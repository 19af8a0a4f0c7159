#include <exeat/request_head.hpp>

#include <core/http_fields.hpp>

#include <algorithm>
#include <optional>

namespace exeat {

namespace {

constexpr std::uint16_t http_port = 80;

// method SP request-target SP HTTP-version (RFC 9112 section 3); of a partial line, as much as there is.
struct request_line {
    std::string_view method, target, version;
};

// None where no line that begins so is a request line. PROXY protocol headers, TLS records and HTTP/2 prefaces end here.
std::optional<request_line> read_line(std::string_view line) noexcept
{
    request_line r;
    r.method = line.substr(0, line.find(' '));
    if (!std::all_of(r.method.begin(), r.method.end(), token_octet)) return std::nullopt;
    if (r.method.size() == line.size()) return r;
    line.remove_prefix(r.method.size() + 1);
    r.target = line.substr(0, line.find(' '));
    if (r.method.empty() || r.target.find('\r') != r.target.npos) return std::nullopt;
    if (r.target.size() == line.size()) return r;
    r.version = line.substr(r.target.size() + 1);
    constexpr std::string_view newest = "HTTP/1.1", oldest = "HTTP/1.0";
    if (r.target.empty() || !(newest.starts_with(r.version) || oldest.starts_with(r.version))) return std::nullopt;
    return r;
}

bool whole(const request_line& r) noexcept
{
    constexpr std::size_t version_octets = 8;
    return r.version.size() == version_octets;
}

struct framed_head {
    request_line line;
    std::size_t bytes;
    std::string_view block;
};

// The head as far as it can be read without knowing what it is for. Whatever refuses a part of the bytes refuses all of them, so the
// order of the questions is that of the bytes.
std::variant<need_more, framed_head, malformed> frame(std::string_view seen) noexcept
{
    using state = head_extent::state;
    const auto extent = find_head(seen, limits::request_head_bytes);
    const auto line = read_line(extent.first);
    if (!line || (extent.first_ended && !whole(*line))) return malformed{verdict::request_line};
    const bool bare = extent.is == state::bare_lf;
    if (bare) return malformed{seen[extent.first.size()] == '\r' ? verdict::header : verdict::request_line};
    if (extent.is == state::too_large) return malformed{verdict::head_too_large};
    if (extent.is == state::partial) return need_more{};
    const auto skip = extent.first.size() + 2; // the line's CRLF
    return framed_head{*line, extent.bytes, seen.substr(skip, extent.bytes - skip - 2)};
}

struct destination {
    target to;
    std::string_view path;
};
using destination_result = boost::system::result<destination, verdict>;

bool visible(std::string_view s) noexcept
{
    return std::all_of(s.begin(), s.end(), [](char c) { return c > 0x20 && c < 0x7f; });
}

// RFC 9110 section 4.1: a fragment is the client's own affair and never sent.
bool valid_path(std::string_view path) noexcept { return visible(path) && path.find('#') == path.npos; }

destination_result read_connect(std::string_view text)
{
    if (text.find('/') != text.npos) return verdict::target_form;
    auto to = parse_authority(text, approach::tunnel);
    if (!to) return to.error();
    return destination{std::move(*to), {}};
}

// RFC 3986 section 3.1.
bool is_scheme(std::string_view s) noexcept
{
    const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
    const auto octet = [letter](char c) { return letter(c) || (c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.'; };
    return !s.empty() && letter(s.front()) && std::all_of(s.begin(), s.end(), octet);
}

// absolute-form (RFC 9112 section 3.2.2) of an http URL (RFC 9110 section 4.2.1).
destination_result read_absolute(std::string_view text, std::string_view method)
{
    const auto colon = text.find(':');
    if (colon == text.npos || !is_scheme(text.substr(0, colon))) return verdict::target_form;
    const auto rest = text.substr(colon + 1);
    if (!equals_ignoring_case(text.substr(0, colon), "http") || !rest.starts_with("//")) return verdict::scheme;
    const auto authority = rest.substr(2, std::min(rest.find_first_of("/?#", 2), rest.size()) - 2);
    auto to = parse_authority(authority, approach::http, http_port);
    if (!to) return to.error();
    auto path = rest.substr(2 + authority.size());
    if (path.empty()) path = method == "OPTIONS" ? "*" : "/"; // RFC 9112 sections 3.2.1 and 3.2.4
    else if (path.front() != '/' || !valid_path(path)) return verdict::target_form;
    return destination{std::move(*to), path};
}

// RFC 9112 section 3.2: one Host, and here it must say the same as the target. `otherwise` is the port of a Host without one.
std::optional<verdict> disagreement(const field_facts& facts, unsigned minor, const target& to, std::uint16_t otherwise)
{
    if (facts.hosts > 1) return verdict::header;
    if (facts.hosts == 0) return minor == 0 ? std::nullopt : std::optional{verdict::header};
    const auto named = parse_authority(facts.host, to.via, otherwise);
    if (!named) return named.error();
    if (*named != to) return verdict::host_mismatch;
    return std::nullopt;
}

unsigned minor_of(const request_line& line) noexcept { return line.version.back() == '1' ? 1 : 0; }

boost::system::result<body_framing, verdict> request_body(const field_facts& facts, const request_line& line) noexcept
{
    if (line.method == "CONNECT" && facts.lengths + facts.codings > 0) return verdict::connect_body;
    return announced_body(facts, minor_of(line));
}

request_scan finish(const framed_head& head, const field_facts& facts, destination&& where)
{
    if (facts.upgrade) return malformed{verdict::upgrade};
    const auto body = request_body(facts, head.line);
    if (!body) return malformed{body.error()};
    const auto minor = minor_of(head.line);
    return request_head{head.line.method,        std::move(where.to), where.path, minor, header_fields{head.block}, *body,
                        facts.persistent(minor), facts.json,          head.bytes};
}

// origin-form, or asterisk-form for OPTIONS (RFC 9112 sections 3.2.1 and 3.2.4).
bool is_origin_form(const request_line& line) noexcept
{
    if (line.method == "CONNECT") return false;
    if (line.target == "*") return line.method == "OPTIONS";
    return line.target.starts_with('/') && valid_path(line.target);
}

} // namespace

request_scan scan_proxy_request(std::string_view seen)
{
    const auto framed = frame(seen);
    if (std::holds_alternative<need_more>(framed)) return need_more{};
    if (const auto* bad = std::get_if<malformed>(&framed)) return *bad;
    const auto& head = std::get<framed_head>(framed);
    const bool connect = head.line.method == "CONNECT";
    auto where = connect ? read_connect(head.line.target) : read_absolute(head.line.target, head.line.method);
    if (!where) return malformed{where.error()};
    const auto facts = read_fields(head.block);
    if (!facts) return malformed{facts.error()};
    // Clients leave the port out of a CONNECT's Host whatever it is; in an http request its absence means 80.
    const auto wrong = disagreement(*facts, minor_of(head.line), where->to, connect ? where->to.port : http_port);
    if (wrong) return malformed{*wrong};
    return finish(head, *facts, std::move(*where));
}

request_scan scan_origin_request(std::string_view seen, std::uint16_t port)
{
    const auto framed = frame(seen);
    if (std::holds_alternative<need_more>(framed)) return need_more{};
    if (const auto* bad = std::get_if<malformed>(&framed)) return *bad;
    const auto& head = std::get<framed_head>(framed);
    if (!is_origin_form(head.line)) return malformed{verdict::target_form};
    const auto facts = read_fields(head.block);
    if (!facts) return malformed{facts.error()};
    if (facts->hosts != 1) return malformed{verdict::header};
    auto to = parse_authority(facts->host, approach::http, http_port);
    if (!to) return malformed{to.error()};
    if (to->port != port) return malformed{verdict::host_mismatch};
    return finish(head, *facts, {std::move(*to), head.line.target});
}

} // namespace exeat
