// IP addresses and prefixes as plain values. IPv4 is kept in its mapped form (::ffff:a.b.c.d, RFC 4291 section 2.5.5.2), so that
// "::ffff:10.0.0.1" and "10.0.0.1" are one address and cannot be judged differently. Any thread.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace exeat {

struct ip_address {
    std::array<std::uint8_t, 16> octets{}; // network order

    // Strict dotted quad without leading zeros (RFC 6943 section 3.1.1) or RFC 4291 text without brackets and without a zone.
    static std::optional<ip_address> parse(std::string_view text) noexcept;
    static ip_address v4(std::uint32_t host_order) noexcept;

    bool is_v4() const noexcept;
    std::uint32_t as_v4() const noexcept; // host order; only for is_v4()
    // Dotted quad, or RFC 5952 text.
    std::string to_string() const;

    auto operator<=>(const ip_address&) const = default;
};

struct ip_prefix {
    ip_address network;      // host bits are zero
    std::uint8_t bits = 128; // of 128: an IPv4 /24 is 120 here

    // "10.0.0.0/8", "fd00::/8", or a bare address. nullopt for anything else, also if host bits are set.
    static std::optional<ip_prefix> parse(std::string_view text) noexcept;
    // The network with this prefix length that contains the address.
    static ip_prefix around(const ip_address&, std::uint8_t bits) noexcept;

    bool contains(const ip_address&) const noexcept;
    ip_address last() const noexcept;
    std::string to_string() const;

    auto operator<=>(const ip_prefix&) const = default;
};

} // namespace exeat
