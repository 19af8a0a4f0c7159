#include <exeat/ip_address.hpp>

#include <algorithm>
#include <arpa/inet.h>
#include <charconv>
#include <cstring>

namespace exeat {

namespace {

constexpr std::array<std::uint8_t, 12> mapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
constexpr std::uint8_t v4_bits = 32, v6_bits = 128, mapped_bits = 96;

// The octet at `index` of a netmask that keeps the first `bits`.
std::uint8_t mask_octet(std::uint8_t bits, std::size_t index) noexcept
{
    const auto before = index * 8;
    if (bits <= before) return 0;
    const auto here = std::min<std::size_t>(bits - before, 8);
    return static_cast<std::uint8_t>(0xff00u >> here);
}

std::optional<std::uint8_t> parse_bits(std::string_view digits, std::uint8_t most) noexcept
{
    if (digits.empty() || digits.size() > 3 || (digits.size() > 1 && digits.front() == '0')) return std::nullopt;
    unsigned n = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), n);
    if (error != std::errc{} || end != digits.data() + digits.size() || n > most) return std::nullopt;
    return static_cast<std::uint8_t>(n);
}

} // namespace

std::optional<ip_address> ip_address::parse(std::string_view text) noexcept
{
    // inet_pton accepts neither leading zeros in a quad nor a zone; an embedded NUL would end its input early.
    std::array<char, INET6_ADDRSTRLEN> z{};
    if (text.size() >= z.size() || text.find('\0') != text.npos) return std::nullopt;
    text.copy(z.data(), text.size());
    ip_address a;
    if (text.find(':') != text.npos) {
        if (inet_pton(AF_INET6, z.data(), a.octets.data()) != 1) return std::nullopt;
        return a;
    }
    std::copy(mapped.begin(), mapped.end(), a.octets.begin());
    if (inet_pton(AF_INET, z.data(), a.octets.data() + mapped.size()) != 1) return std::nullopt;
    return a;
}

ip_address ip_address::v4(std::uint32_t host_order) noexcept
{
    ip_address a;
    std::copy(mapped.begin(), mapped.end(), a.octets.begin());
    for (std::size_t i = 0; i < 4; ++i) a.octets[15 - i] = static_cast<std::uint8_t>(host_order >> (8 * i));
    return a;
}

bool ip_address::is_v4() const noexcept { return std::equal(mapped.begin(), mapped.end(), octets.begin()); }

std::uint32_t ip_address::as_v4() const noexcept
{
    std::uint32_t n = 0;
    for (std::size_t i = mapped.size(); i < octets.size(); ++i) n = n << 8 | octets[i];
    return n;
}

std::string ip_address::to_string() const
{
    std::array<char, INET6_ADDRSTRLEN> z{};
    const bool four = is_v4();
    inet_ntop(four ? AF_INET : AF_INET6, octets.data() + (four ? mapped.size() : 0), z.data(), z.size());
    return z.data();
}

std::optional<ip_prefix> ip_prefix::parse(std::string_view text) noexcept
{
    const auto slash = text.find('/');
    const auto address = ip_address::parse(text.substr(0, slash));
    if (!address) return std::nullopt;
    ip_prefix p{*address, v6_bits};
    if (slash == text.npos) return p;
    const bool quad = text.find(':') == text.npos;
    const auto bits = parse_bits(text.substr(slash + 1), quad ? v4_bits : v6_bits);
    if (!bits) return std::nullopt;
    p.bits = static_cast<std::uint8_t>(*bits + (quad ? mapped_bits : 0));
    for (std::size_t i = 0; i < p.network.octets.size(); ++i)
        if (p.network.octets[i] & ~mask_octet(p.bits, i)) return std::nullopt;
    return p;
}

ip_prefix ip_prefix::around(const ip_address& a, std::uint8_t bits) noexcept
{
    ip_prefix p{a, bits};
    for (std::size_t i = 0; i < p.network.octets.size(); ++i) p.network.octets[i] &= mask_octet(bits, i);
    return p;
}

bool ip_prefix::contains(const ip_address& a) const noexcept
{
    const std::size_t whole = bits / 8;
    if (std::memcmp(a.octets.data(), network.octets.data(), whole) != 0) return false;
    return whole == a.octets.size() || ((a.octets[whole] ^ network.octets[whole]) & mask_octet(bits, whole)) == 0;
}

ip_address ip_prefix::last() const noexcept
{
    auto a = network;
    for (std::size_t i = 0; i < a.octets.size(); ++i) a.octets[i] |= static_cast<std::uint8_t>(~mask_octet(bits, i));
    return a;
}

std::string ip_prefix::to_string() const
{
    const bool quad = bits >= mapped_bits && network.is_v4();
    return network.to_string() + '/' + std::to_string(quad ? bits - mapped_bits : bits);
}

} // namespace exeat
