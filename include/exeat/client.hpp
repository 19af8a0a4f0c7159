// The client of a connection: its source address and, on listeners that require certificates, a verified identity. The policy determines
// its groups (policy::groups_of). Value; any thread.
#pragma once

#include <exeat/ip_address.hpp>
#include <exeat/limits.hpp>

#include <bitset>
#include <cstdint>
#include <string>

namespace exeat {

using group_set = std::bitset<limits::groups>;

struct client {
    ip_address source;
    std::uint16_t port = 0;
    group_set groups; // from policy::groups_of when the connection was checked
    // How budgets, accounts, admission, detectors and name budgets identify the client: by its address, or in IPv6, where a host has many
    // addresses, by their prefix with the rest zero.
    ip_address key{};
};

inline constexpr std::uint8_t whole_address = 128; // bits

// The client at this source, in no group yet. A client in IPv6 is identified by the first `v6_bits` of its address (config: client_prefix).
client known_as(const ip_address& source, std::uint16_t port, std::uint8_t v6_bits) noexcept;
// A key as text: "192.0.2.7", "2001:db8:1::/64".
std::string key_text(const ip_address& key, std::uint8_t v6_bits);

} // namespace exeat
