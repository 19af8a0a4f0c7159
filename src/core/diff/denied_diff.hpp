// How the [[deny]] entries of two policies differ for addresses: the fewest networks that describe the difference. Pure; any thread.
#pragma once

#include <exeat/diff/policy_diff.hpp>

#include <optional>
#include <utility>
#include <vector>

namespace exeat {

using clients_before_and_after = std::vector<std::pair<client, client>>; // of each policy_diff::clients, under either policy

// Appends to `out`; refers to the rules of both policies.
void compare_denied(const policy& before, const policy& after, const clients_before_and_after&, std::vector<policy_change>& out);

// The first address after a network; none after the highest address.
std::optional<ip_address> first_after(const ip_prefix&) noexcept;

} // namespace exeat
