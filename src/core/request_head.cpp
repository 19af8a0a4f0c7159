#include <exeat/request_head.hpp>

#include <core/http_fields.hpp>

#include <algorithm>
#include <optional>

namespace exeat {

namespace {

constexpr std::uint16_t http_port = 80;

// method SP request-target SP HTTP-version (RFC 9112 section 3); of a partial line, the part that has arrived.
struct request_line {
    std::string_view method, target, version;
};

// None if no request line begins like this. PROXY protocol headers, TLS records and HTTP/2 prefaces are refused here.
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
struct broken_head {
    verdict why;
    request_line line; // if it was whole
};
using framing = std::variant<need_more, framed_head, broken_head>;

// Reads the head as far as possible without knowing its purpose. Whatever refuses a part of the bytes refuses all of them, so the checks
// are in the order of the bytes.
framing frame(std::string_view seen, std::size_t known) noexcept
{
    using state = head_extent::state;
    const auto extent = find_head(seen, limits::request_head_bytes, known);
    if (extent.is == state::partial && !worth_reading(seen.size(), known)) return need_more{};
    const auto first = find_first_line(seen.substr(0, limits::request_head_bytes));
    const auto line = read_line(first.text);
    if (!line || (first.ended && !whole(*line))) return broken_head{verdict::request_line, {}};
    const bool bare = extent.is == state::bare_lf;
    if (bare && seen[first.text.size()] != '\r') return broken_head{verdict::request_line, {}};
    if (bare) return broken_head{verdict::header, *line};
    if (extent.is == state::too_large) return broken_head{verdict::head_too_large, first.ended ? *line : request_line{}};
    if (extent.is == state::partial) return need_more{};
    const auto skip = first.text.size() + 2; // the line's CRLF
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

// RFC 9110 section 4.1: a fragment is for the client only and never sent.
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

destination_result read_destination(const request_line& line)
{
    return line.method == "CONNECT" ? read_connect(line.target) : read_absolute(line.target, line.method);
}

// The destination for the log of a refusal; none if it cannot be read.
std::optional<target> place_of(const request_line& line)
{
    if (!whole(line)) return std::nullopt;
    auto where = read_destination(line);
    return where ? std::optional{std::move(where->to)} : std::nullopt;
}

// RFC 9112 section 3.2: exactly one Host; HTTP/1.0 may omit it.
std::optional<verdict> miscounted(const field_facts& facts, unsigned minor) noexcept
{
    const bool fits = facts.hosts == 1 || (facts.hosts == 0 && minor == 0);
    return fits ? std::nullopt : std::optional{verdict::header};
}

// The error of a Host field that must match the target; none if it does.
std::optional<verdict> disagreement(const field_facts& facts, unsigned minor, const target& to)
{
    if (const auto wrong = miscounted(facts, minor)) return wrong;
    if (facts.hosts == 0) return std::nullopt;
    const auto named = parse_authority(facts.host, to.via, http_port);
    if (!named) return named.error();
    if (*named != to) return verdict::host_mismatch;
    return std::nullopt;
}

// A refusal; for host_mismatch, with the place that the Host field names.
refused_head refused_for(verdict why, const field_facts& facts, target to)
{
    auto named = why == verdict::host_mismatch ? parse_authority(facts.host, to.via, http_port) : why;
    if (!named) return refused_head{why, std::move(to)};
    return refused_head{why, std::move(to), std::move(*named)};
}

// Clients may omit the port in a CONNECT's Host, whatever the port is.
bool names_another(const field_facts& facts, const target& to)
{
    if (facts.hosts == 0) return false;
    const auto named = parse_authority(facts.host, to.via, to.port);
    return !named || *named != to;
}

std::optional<verdict> wrong_in_connect(const field_facts& facts, unsigned minor)
{
    if (const auto wrong = miscounted(facts, minor)) return wrong;
    return facts.hosts == 0 || is_host_field(facts.host) ? std::nullopt : std::optional{verdict::host_syntax};
}

unsigned minor_of(const request_line& line) noexcept { return line.version.back() == '1' ? 1 : 0; }

// A CONNECT has no body (RFC 9110 section 9.3.6), though some clients send "Content-Length: 0".
boost::system::result<body_framing, verdict> request_body(const field_facts& facts, const request_line& line) noexcept
{
    if (line.method != "CONNECT") return announced_body(facts, minor_of(line));
    const bool empty = facts.lengths == 0 || (facts.lengths == 1 && facts.length == "0");
    if (facts.codings > 0 || !empty) return verdict::connect_body;
    return body_framing{};
}

// Other upgrades are offers that a server may ignore (RFC 9110 section 7.8), so they are not forwarded; a WebSocket does not work without
// its upgrade.
request_scan finish(const framed_head& head, const field_facts& facts, destination&& where, bool other_host = false)
{
    if (facts.websocket) return refused_head{verdict::upgrade, std::move(where.to)};
    const auto body = request_body(facts, head.line);
    if (!body) return refused_head{body.error(), std::move(where.to)};
    const auto minor = minor_of(head.line);
    return request_head{head.line.method,        std::move(where.to), where.path, minor,     header_fields{head.block}, *body,
                        facts.persistent(minor), facts.json,          other_host, head.bytes};
}

// origin-form, or asterisk-form for OPTIONS (RFC 9112 sections 3.2.1 and 3.2.4).
bool is_origin_form(const request_line& line) noexcept
{
    if (line.method == "CONNECT") return false;
    if (line.target == "*") return line.method == "OPTIONS";
    return line.target.starts_with('/') && valid_path(line.target);
}

} // namespace

request_scan scan_proxy_request(std::string_view seen, std::size_t known)
{
    const auto framed = frame(seen, known);
    if (std::holds_alternative<need_more>(framed)) return need_more{};
    if (const auto* bad = std::get_if<broken_head>(&framed)) return refused_head{bad->why, place_of(bad->line)};
    const auto& head = std::get<framed_head>(framed);
    auto where = read_destination(head.line);
    if (!where) return refused_head{where.error()};
    const auto facts = read_fields(head.block);
    if (!facts) return refused_head{facts.error(), std::move(where->to)};
    const bool connect = where->to.via == approach::tunnel;
    const auto minor = minor_of(head.line);
    const auto wrong = connect ? wrong_in_connect(*facts, minor) : disagreement(*facts, minor, where->to);
    if (wrong) return refused_for(*wrong, *facts, std::move(where->to));
    const bool other_host = connect && names_another(*facts, where->to);
    return finish(head, *facts, std::move(*where), other_host);
}

request_scan scan_origin_request(std::string_view seen, std::uint16_t port, std::size_t known)
{
    const auto framed = frame(seen, known);
    if (std::holds_alternative<need_more>(framed)) return need_more{};
    if (const auto* bad = std::get_if<broken_head>(&framed)) return refused_head{bad->why};
    const auto& head = std::get<framed_head>(framed);
    if (!is_origin_form(head.line)) return refused_head{verdict::target_form};
    const auto facts = read_fields(head.block);
    if (!facts) return refused_head{facts.error()};
    if (facts->hosts != 1) return refused_head{verdict::header};
    auto to = parse_authority(facts->host, approach::http, http_port);
    if (!to) return refused_head{to.error()};
    if (to->port != port) return refused_head{verdict::host_mismatch, target{to->host, port, approach::http}, *to};
    return finish(head, *facts, {std::move(*to), head.line.target});
}

request_scan scan_inside_request(std::string_view seen, const target& to, std::size_t known)
{
    const auto framed = frame(seen, known);
    if (std::holds_alternative<need_more>(framed)) return need_more{};
    if (const auto* bad = std::get_if<broken_head>(&framed)) return refused_head{bad->why, to};
    const auto& head = std::get<framed_head>(framed);
    if (head.line.method == "CONNECT") return refused_head{verdict::target_form, to};
    auto where = is_origin_form(head.line) ? destination_result{destination{to, head.line.target}}
                                           : read_absolute(head.line.target, head.line.method);
    if (!where) return refused_head{where.error(), to};
    if (where->to != to) return refused_head{verdict::host_mismatch, to, std::move(where->to)};
    const auto facts = read_fields(head.block);
    if (!facts) return refused_head{facts.error(), to};
    if (const auto wrong = disagreement(*facts, minor_of(head.line), to)) return refused_for(*wrong, *facts, to);
    return finish(head, *facts, std::move(*where));
}

} // namespace exeat
