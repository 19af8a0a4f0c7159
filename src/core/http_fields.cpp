#include <core/http_fields.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>

namespace exeat {

namespace {

constexpr char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

enum octet_kind : std::uint8_t { in_token = 1, in_value = 2 };

constexpr std::array<std::uint8_t, 256> octet_kinds = [] {
    std::array<std::uint8_t, 256> kinds{};
    kinds['\t'] = in_value;
    for (unsigned c = 0x20; c < kinds.size(); ++c) kinds[c] = c == 0x7f ? 0 : in_value;
    for (char c = '0'; c <= '9'; ++c) kinds[static_cast<unsigned char>(c)] |= in_token;
    for (char c = 'a'; c <= 'z'; ++c) kinds[static_cast<unsigned char>(c)] |= in_token;
    for (char c = 'A'; c <= 'Z'; ++c) kinds[static_cast<unsigned char>(c)] |= in_token;
    for (const char c : std::string_view{"!#$%&'*+-.^_`|~"}) kinds[static_cast<unsigned char>(c)] |= in_token;
    return kinds;
}();

std::string_view trimmed(std::string_view s) noexcept
{
    const auto first = s.find_first_not_of(" \t");
    if (first == s.npos) return {};
    return s.substr(first, s.find_last_not_of(" \t") - first + 1);
}

// A client that accepts more media ranges than are read gets refusals as text.
void note_ranges(field_facts& facts, std::string_view list) noexcept
{
    for (std::string_view range; facts.ranges < limits::accept_ranges && next_element(list, range); ++facts.ranges)
        facts.json |= equals_ignoring_case(trimmed(range.substr(0, range.find(';'))), "application/json");
}

void note_options(field_facts& facts, std::string_view list) noexcept
{
    for (std::string_view option; facts.options <= limits::connection_options && next_element(list, option); ++facts.options) {
        facts.close |= equals_ignoring_case(option, "close");
        facts.keep_alive |= equals_ignoring_case(option, "keep-alive");
    }
}

// protocol-name ["/" protocol-version] (RFC 9110 section 7.8).
void note_upgrades(field_facts& facts, std::string_view list) noexcept
{
    for (std::string_view protocol; next_element(list, protocol);)
        facts.websocket |= equals_ignoring_case(protocol.substr(0, protocol.find('/')), "websocket");
}

void note(field_facts& facts, const header_fields::field& f) noexcept
{
    const auto is = [&f](std::string_view name) { return equals_ignoring_case(f.name, name); };
    if (is("host")) ++facts.hosts, facts.host = f.value;
    else if (is("content-length")) ++facts.lengths, facts.length = f.value;
    else if (is("transfer-encoding")) ++facts.codings, facts.coding = f.value;
    else if (is("upgrade")) note_upgrades(facts, f.value);
    else if (is("accept")) note_ranges(facts, f.value);
    else if (is("connection")) note_options(facts, f.value);
}

// Reads a line without its CRLF. The name must be a token with the colon directly after it; so a line that begins with white space
// (obs-fold, RFC 9112 section 5.2) is refused.
boost::system::result<header_fields::field, verdict> read_line(std::string_view line) noexcept
{
    const auto colon = line.find(':');
    if (colon == line.npos || !is_token(line.substr(0, colon))) return verdict::header;
    const header_fields::field f{line.substr(0, colon), trimmed(line.substr(colon + 1))};
    if (!is_value(f.value)) return equals_ignoring_case(f.name, "host") ? verdict::host_syntax : verdict::header;
    return f;
}

// The position of the first LF at or after `from` that no CR precedes.
std::size_t find_bare_lf(std::string_view s, std::size_t from) noexcept
{
    for (auto lf = s.find('\n', from); lf != s.npos; lf = s.find('\n', lf + 1))
        if (lf == 0 || s[lf - 1] != '\r') return lf;
    return s.npos;
}

} // namespace

bool token_octet(char c) noexcept { return octet_kinds[static_cast<unsigned char>(c)] & in_token; }
bool value_octet(char c) noexcept { return octet_kinds[static_cast<unsigned char>(c)] & in_value; }
bool is_token(std::string_view s) noexcept { return !s.empty() && std::all_of(s.begin(), s.end(), token_octet); }
bool is_value(std::string_view s) noexcept { return std::all_of(s.begin(), s.end(), value_octet); }

bool equals_ignoring_case(std::string_view a, std::string_view b) noexcept
{
    return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) { return lower(x) == lower(y); });
}

bool next_element(std::string_view& list, std::string_view& element) noexcept
{
    if (list.empty()) return false;
    const auto comma = list.find(',');
    element = trimmed(list.substr(0, comma));
    list = comma == list.npos ? std::string_view{} : list.substr(comma + 1);
    return true;
}

head_extent find_head(std::string_view seen, std::size_t most, std::size_t known) noexcept
{
    constexpr std::string_view empty_line = "\r\n\r\n";
    using state = head_extent::state;
    seen = seen.substr(0, most);
    const auto begun = std::min(known, empty_line.size() - 1); // octets of the empty line that may be among the known ones
    const auto end = seen.find(empty_line, known - begun);
    const auto head = seen.substr(0, end == seen.npos ? end : end + empty_line.size());
    head_extent found;
    if (find_bare_lf(head, known) != head.npos) found.is = state::bare_lf;
    else if (end != seen.npos) found.is = state::whole, found.bytes = head.size();
    else if (seen.size() == most) found.is = state::too_large;
    return found;
}

first_line find_first_line(std::string_view seen) noexcept
{
    const auto lf = seen.find('\n');
    first_line line{seen.substr(0, lf), lf != seen.npos};
    // A CR at the end of a partial line may still be the first half of its CRLF.
    if (line.text.ends_with('\r')) line.text.remove_suffix(1);
    return line;
}

bool worth_reading(std::size_t seen, std::size_t known) noexcept { return std::bit_width(seen) != std::bit_width(known); }

bool header_fields::next(field& out) noexcept
{
    constexpr std::string_view line_end = "\r\n";
    if (rest_.empty()) return false;
    const auto end = rest_.find(line_end);
    const auto line = rest_.substr(0, end);
    rest_ = end == rest_.npos ? std::string_view{} : rest_.substr(end + line_end.size());
    const auto colon = line.find(':');
    out.name = line.substr(0, colon);
    out.value = colon == line.npos ? std::string_view{} : trimmed(line.substr(colon + 1));
    return true;
}

boost::system::result<field_facts, verdict> read_fields(std::string_view block) noexcept
{
    constexpr std::string_view line_end = "\r\n";
    field_facts facts;
    for (std::size_t lines = 0; !block.empty(); ++lines) {
        if (lines == limits::header_fields) return verdict::header;
        const auto end = block.find(line_end);
        if (end == block.npos) return verdict::header;
        const auto field = read_line(block.substr(0, end));
        if (!field) return field.error();
        note(facts, *field);
        if (facts.options > limits::connection_options) return verdict::header;
        block.remove_prefix(end + line_end.size());
    }
    return facts;
}

bool field_facts::persistent(unsigned minor) const noexcept { return !close && (minor >= 1 || keep_alive); }

boost::system::result<body_framing, verdict> announced_body(const field_facts& facts, unsigned minor) noexcept
{
    using kind = body_framing::kind;
    if (facts.codings + facts.lengths > 1) return verdict::framing;
    if (facts.codings == 1) {
        // An HTTP/1.0 recipient on the path would not know the field (RFC 9112 section 6.1).
        if (minor == 0 || !equals_ignoring_case(facts.coding, "chunked")) return verdict::framing;
        return body_framing{kind::chunked};
    }
    if (facts.lengths == 0) return body_framing{};
    const auto digits = facts.length;
    if (digits.empty() || digits.size() > limits::content_length_digits) return verdict::framing;
    if (digits.find_first_not_of("0123456789") != digits.npos) return verdict::framing;
    body_framing body{kind::length};
    std::from_chars(digits.data(), digits.data() + digits.size(), body.length);
    return body;
}

connection_options::connection_options(header_fields fields) noexcept
{
    for (header_fields::field f; fields.next(f);) {
        if (!equals_ignoring_case(f.name, "connection")) continue;
        for (std::string_view option; count_ < names_.size() && next_element(f.value, option);)
            if (!option.empty()) names_[count_++] = option;
    }
    std::sort(names_.data(), names_.data() + count_, before);
}

bool connection_options::before(std::string_view a, std::string_view b) noexcept
{
    if (a.size() != b.size()) return a.size() < b.size();
    return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) { return lower(x) < lower(y); });
}

bool connection_options::name(std::string_view field) const noexcept
{
    return std::binary_search(names_.data(), names_.data() + count_, field, before);
}

bool hop_by_hop(std::string_view name, const connection_options& options) noexcept
{
    constexpr std::array<std::string_view, 10> always{
        "connection",     "proxy-connection",   "keep-alive",         "te", "trailer", "transfer-encoding", "upgrade",
        "http2-settings", "proxy-authenticate", "proxy-authorization"};
    const auto is = [name](std::string_view other) { return equals_ignoring_case(name, other); };
    if (std::any_of(always.begin(), always.end(), is)) return true;
    // A Connection option must not remove the fields that determine the message's destination and length.
    if (is("host") || is("content-length")) return false;
    return options.name(name);
}

} // namespace exeat
