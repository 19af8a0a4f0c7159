// Who asks: the source address of the connection and, on listeners that ask for certificates, a verified identity. The groups that
// it belongs to are the policy's to say (policy::groups_of). Value; any thread.
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
    group_set groups; // as policy::groups_of said when the connection was judged
    // By which budgets, accounts, admission, detectors and name budgets know the client: its address, or where a host has many of them,
    // which is IPv6, their prefix with the rest zero.
    ip_address key{};
};

inline constexpr std::uint8_t whole_address = 128; // bits

// Whoever asks from there, in no group yet. A client in IPv6 is known by the first `v6_bits` of its address (config: client_prefix).
client known_as(const ip_address& source, std::uint16_t port, std::uint8_t v6_bits) noexcept;
// A key as people read it: "192.0.2.7", "2001:db8:1::/64".
std::string key_text(const ip_address& key, std::uint8_t v6_bits);

} // namespace exeat
