#include <core/http_fields.hpp>

#include <optional>

namespace exeat {

namespace {

// HTTP-version SP status-code SP [ reason-phrase ] (RFC 9112 section 4)
constexpr std::size_t version_octets = 8, status_octets = 3;
constexpr std::size_t reason_at = version_octets + 1 + status_octets + 1;

struct status_line {
    unsigned minor, status;
    std::string_view reason;
};

bool may_begin(std::string_view line) noexcept
{
    constexpr std::string_view newest = "HTTP/1.1 ", oldest = "HTTP/1.0 ";
    const auto version = line.substr(0, newest.size());
    return newest.starts_with(version) || oldest.starts_with(version);
}

// The status, or 0.
unsigned read_status(std::string_view digits) noexcept
{
    unsigned n = 0;
    for (const char c : digits) {
        if (c < '0' || c > '9') return 0;
        n = n * 10 + static_cast<unsigned>(c - '0');
    }
    return n >= 100 && n <= 599 ? n : 0;
}

std::optional<status_line> read_line(std::string_view line) noexcept
{
    if (!may_begin(line) || line.size() < reason_at || line[reason_at - 1] != ' ') return std::nullopt;
    const auto status = read_status(line.substr(version_octets + 1, status_octets));
    const auto reason = line.substr(reason_at);
    if (status == 0 || !is_value(reason)) return std::nullopt;
    return status_line{line[version_octets - 1] == '1' ? 1u : 0u, status, reason};
}

// RFC 9112 section 6.3, items 1 to 8.
std::optional<body_framing> response_body(const field_facts& facts, const status_line& line, std::string_view method) noexcept
{
    using kind = body_framing::kind;
    const auto announced = announced_body(facts, line.minor);
    if (!announced) return std::nullopt;
    const bool interim = line.status < 200;
    if (interim || line.status == 204) {
        // Neither field may be present (RFC 9112 section 6.1, RFC 9110 section 8.6); a receiver that trusted one would wait for a body.
        if (*announced != body_framing{} && *announced != body_framing{kind::length, 0}) return std::nullopt;
        return body_framing{};
    }
    if (method == "HEAD" || line.status == 304) return body_framing{};
    return announced->how == kind::none ? body_framing{kind::until_close} : *announced;
}

} // namespace

response_scan scan_response_head(std::string_view seen, std::string_view method, std::size_t known)
{
    constexpr auto bad = malformed{verdict::upstream_malformed};
    using state = head_extent::state;
    const auto extent = find_head(seen, limits::response_head_bytes, known);
    if (extent.is == state::partial && !worth_reading(seen.size(), known)) return need_more{};
    const auto first = find_first_line(seen.substr(0, limits::response_head_bytes)).text;
    if (!may_begin(first) || extent.is == state::bare_lf || extent.is == state::too_large) return bad;
    if (extent.is == state::partial) return need_more{};
    const auto line = read_line(first);
    constexpr unsigned switching_protocols = 101;
    if (!line || line->status == switching_protocols) return bad;
    const auto skip = first.size() + 2; // the line's CRLF
    const auto block = seen.substr(skip, extent.bytes - skip - 2);
    const auto facts = read_fields(block);
    if (!facts) return bad;
    const auto body = response_body(*facts, *line, method);
    if (!body) return bad;
    const bool reusable = facts->persistent(line->minor) && body->how != body_framing::kind::until_close;
    return response_head{line->status, line->minor, line->reason, header_fields{block}, *body, reusable, extent.bytes};
}

} // namespace exeat
