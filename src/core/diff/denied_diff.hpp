// What two policies' [[deny]] entries say otherwise of addresses: networks, the fewest that tell the difference. Pure; any thread.
#pragma once

#include <exeat/diff/policy_diff.hpp>

#include <optional>
#include <utility>
#include <vector>

namespace exeat {

using clients_before_and_after = std::vector<std::pair<client, client>>; // of each policy_diff::clients, under either policy

// Appends to `out`; refers to the rules of both policies.
void compare_denied(const policy& before, const policy& after, const clients_before_and_after&, std::vector<policy_change>& out);

// The first address after a network; nothing after the last of all.
std::optional<ip_address> first_after(const ip_prefix&) noexcept;

} // namespace exeat
