// Keys of workloads in the form of an address, so that everything that identifies a client by client::key (budgets, names, detectors,
// throttles, snapshots) takes them as well. They lie in fe00::/15, a part of fe00::/9, which the IETF has reserved and nobody may use as an
// address (RFC 4291 section 4, IANA registry of IPv6 address space); a client that does so all the same is in no group. Values.
#pragma once

#include <exeat/ip_address.hpp>

#include <array>
#include <cstdint>
#include <string_view>

namespace exeat {

enum class workload_kind : std::uint8_t {
    instance, // one pod, by its UID: a pod that is made anew is another one
    identity, // all pods of one service account
};

using workload_digest = std::array<std::uint8_t, 14>; // octets of a cryptographic digest

constexpr ip_address workload_key(workload_kind kind, const workload_digest& of) noexcept
{
    ip_address out;
    out.octets[0] = 0xfe;
    out.octets[1] = static_cast<std::uint8_t>(kind);
    for (std::size_t i = 0; i < of.size(); ++i) out.octets[i + 2] = of[i];
    return out;
}

constexpr bool is_identity_key(const ip_address& a) noexcept
{
    return a.octets[0] == 0xfe && a.octets[1] == static_cast<std::uint8_t>(workload_kind::identity);
}
constexpr bool is_workload_key(const ip_address& a) noexcept { return a.octets[0] == 0xfe && a.octets[1] <= 1; }

} // namespace exeat
