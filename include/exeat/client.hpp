// The client of a connection: its source address and, in a network of pods, the pod that has this address. The policy determines its groups
// (policy::groups_of). Value; any thread.
#pragma once

#include <exeat/identity/pod.hpp>
#include <exeat/ip_address.hpp>
#include <exeat/limits.hpp>

#include <bitset>
#include <cstdint>
#include <memory>
#include <string>

namespace exeat {

using group_set = std::bitset<limits::groups>;

struct client {
    ip_address source;
    std::uint16_t port = 0;
    group_set groups{}; // from policy::groups_of when the connection was checked
    // How budgets, rates, detectors and name budgets identify the client: a pod by pod::instance, any other by address_key().
    ip_address key{};
    std::shared_ptr<const exeat::pod> pod{}; // null: known only by its address

    void belongs_to(std::shared_ptr<const exeat::pod>) noexcept; // its address is this pod's
};

inline constexpr std::uint8_t whole_address = 128; // bits

// A source as the key of what is counted by address, such as connections: in IPv6, where a host has many addresses, their first `v6_bits`
// (config: client_prefix) with the rest zero.
ip_address address_key(const ip_address& source, std::uint8_t v6_bits) noexcept;
// The client at this source, in no group yet, known by its address.
client known_as(const ip_address& source, std::uint16_t port, std::uint8_t v6_bits) noexcept;
// A key as text: "192.0.2.7", "2001:db8:1::/64"; "2001:db8::7" for an address that is more than such a prefix.
std::string key_text(const ip_address& key, std::uint8_t v6_bits);

} // namespace exeat
