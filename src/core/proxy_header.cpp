#include <exeat/proxy_header.hpp>

#include <exeat/limits.hpp>

#include <algorithm>
#include <array>
#include <charconv>

namespace exeat {

namespace {

constexpr malformed refused{verdict::proxy_header};

// Whether `seen` begins with `start`, or is a prefix of it.
bool begins(std::string_view seen, std::string_view start) noexcept
{
    const auto n = std::min(seen.size(), start.size());
    return seen.substr(0, n) == start.substr(0, n);
}

// ---- version 1, section 2.1: one line of text

constexpr std::string_view v1_start = "PROXY ";
constexpr std::string_view line_end = "\r\n";

// Takes the text up to the next space; exactly one space separates the fields of a line.
std::string_view take_field(std::string_view& line) noexcept
{
    const auto end = std::min(line.find(' '), line.size());
    const auto field = line.substr(0, end);
    line.remove_prefix(std::min(end + 1, line.size()));
    return field;
}

// "a decimal integer in the range [0..65535]", without leading zeros.
std::optional<std::uint16_t> port_of(std::string_view text) noexcept
{
    std::uint16_t port = 0;
    const auto* end = text.data() + text.size();
    const auto [stopped, failed] = std::from_chars(text.data(), end, port);
    const bool zeros = text.size() > 1 && text.front() == '0';
    if (failed != std::errc{} || stopped != end || zeros) return std::nullopt;
    return port;
}

// The form must match the protocol of the line. HAProxy writes the IPv4 clients of a dual-stack socket as ::ffff:a.b.c.d.
std::optional<ip_address> address_of(std::string_view text, bool v6) noexcept
{
    if ((text.find(':') != text.npos) != v6) return std::nullopt;
    return ip_address::parse(text);
}

std::optional<proxied_client> client_of(std::string_view line, bool v6) noexcept
{
    const auto spaces = std::count(line.begin(), line.end(), ' ');
    const auto source = address_of(take_field(line), v6);
    const auto destination = address_of(take_field(line), v6);
    const auto source_port = port_of(take_field(line));
    const auto destination_port = port_of(line);
    if (spaces != 3 || !source || !destination || !source_port || !destination_port) return std::nullopt;
    return proxied_client{*source, *source_port};
}

proxy_header_scan scan_v1(std::string_view seen) noexcept
{
    if (seen.size() < v1_start.size()) return need_more{};
    const auto end = seen.substr(0, limits::proxy_line_bytes).find(line_end);
    if (end == seen.npos) {
        if (seen.size() >= limits::proxy_line_bytes) return refused;
        return need_more{};
    }
    auto line = seen.substr(v1_start.size(), end - v1_start.size());
    proxy_header header{std::nullopt, end + line_end.size()};
    const bool lone_end = line.find_first_of(line_end) != line.npos;
    const auto protocol = take_field(line);
    if (protocol == "UNKNOWN") return header; // "must ignore anything presented before the CRLF is found"
    if (lone_end || (protocol != "TCP4" && protocol != "TCP6")) return refused;
    header.client = client_of(line, protocol == "TCP6");
    if (!header.client) return refused;
    return header;
}

// ---- version 2, section 2.2: a binary block

constexpr std::string_view v2_start{"\r\n\r\n\0\r\nQUIT\n", 12};
constexpr std::size_t v2_fixed = 16;     // signature, version and command, family and transport, length
constexpr std::size_t addresses_v4 = 12; // two addresses and two ports
constexpr std::size_t addresses_v6 = 36;
enum command : std::uint8_t { local = 0x20, proxied = 0x21 };                          // version 2 in the high four bits
enum family : std::uint8_t { unspecified = 0x00, stream_v4 = 0x11, stream_v6 = 0x21 }; // over TCP, in the low four bits

std::uint8_t octet(std::string_view s, std::size_t at) noexcept { return static_cast<std::uint8_t>(s[at]); }
std::uint16_t big_endian(std::string_view s, std::size_t at) noexcept
{
    return static_cast<std::uint16_t>(octet(s, at) << 8 | octet(s, at + 1));
}

proxied_client v4_client(std::string_view addresses) noexcept
{
    const auto high = std::uint32_t{big_endian(addresses, 0)}, low = std::uint32_t{big_endian(addresses, 2)};
    return {ip_address::v4(high << 16 | low), big_endian(addresses, 8)};
}

proxied_client v6_client(std::string_view addresses) noexcept
{
    proxied_client c;
    std::copy_n(addresses.begin(), c.source.octets.size(), reinterpret_cast<char*>(c.source.octets.data()));
    c.port = big_endian(addresses, 32);
    return c;
}

// Reads what follows the fixed part: addresses, then TLVs, which are skipped ("must be skipped", section 2.2).
proxy_header_scan read_block(std::string_view block, std::uint8_t what, std::uint8_t from) noexcept
{
    proxy_header header{std::nullopt, v2_fixed + block.size()};
    if (what == local || from == unspecified) return header; // "must use the real connection endpoints"
    if (from == stream_v4 && block.size() >= addresses_v4) header.client = v4_client(block);
    else if (from == stream_v6 && block.size() >= addresses_v6) header.client = v6_client(block);
    if (!header.client) return refused;
    return header;
}

proxy_header_scan scan_v2(std::string_view seen) noexcept
{
    const auto known = [&](std::size_t at) { return seen.size() > at; };
    if (!known(v2_start.size())) return need_more{};
    const auto what = octet(seen, v2_start.size());
    if (what != local && what != proxied) return refused; // "any other value must be refused"
    if (seen.size() < v2_fixed) return need_more{};
    const std::size_t length = big_endian(seen, v2_start.size() + 2);
    if (v2_fixed + length > limits::proxy_header_bytes) return refused;
    if (seen.size() < v2_fixed + length) return need_more{};
    return read_block(seen.substr(v2_fixed, length), what, octet(seen, v2_start.size() + 1));
}

} // namespace

proxy_header_scan scan_proxy_header(std::string_view seen) noexcept
{
    if (seen.empty()) return need_more{};
    if (begins(seen, v2_start)) return scan_v2(seen);
    if (begins(seen, v1_start)) return scan_v1(seen);
    return refused;
}

} // namespace exeat
