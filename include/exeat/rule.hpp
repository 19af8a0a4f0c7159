// One entry of the allowlist in a policy: plain values, immutable once compiled. Any thread.
#pragma once

#include <exeat/budget/budget.hpp>
#include <exeat/client.hpp>
#include <exeat/enum_array.hpp>
#include <exeat/ip_address.hpp>
#include <exeat/limits.hpp>
#include <exeat/tls/ech.hpp>

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace exeat {

enum class rule_kind : std::uint8_t { allow, private_link, deny };
enum class protocol : std::uint8_t { tls, http, tcp };
// The purpose of an entry; determines its default budgets and is a metric label.
enum class purpose : std::uint8_t { pull, api, telemetry, push };
inline constexpr std::size_t purposes = 4;

// What happens to a tunnel whose upload budget is spent.
enum class budget_action : std::uint8_t {
    cut,
    throttle, // it waits until the windows have advanced
    alert,    // it is only reported
};
inline constexpr std::size_t budget_actions = 3;
inline constexpr enum_array<budget_action, std::string_view, budget_actions> budget_action_words{"cut", "throttle", "alert"};

std::string_view to_string(rule_kind) noexcept; // "allow", "private_link", "deny": the table's name in the file
std::string_view to_string(protocol) noexcept;
std::string_view to_string(purpose) noexcept;
// What one client may upload to all entries of a purpose together, unless the entry has a budget of its own. push has no default: its
// entries must have a budget.
upload_limits default_upload(purpose) noexcept;

using wall_time = std::chrono::sys_seconds;
inline constexpr wall_time never = wall_time::max();
// The counter slot of requests that only report mode allowed; 0 is for no rule at all.
inline constexpr std::uint32_t reported_rule_slot = 1;

struct rule {
    std::string name;
    rule_kind kind = rule_kind::allow;
    enum protocol protocol = protocol::tls;
    enum purpose purpose = purpose::pull;
    ech_policy ech = ech_policy::deny;
    group_set groups = group_set{}.set(); // the groups that it applies to; all by default
    std::vector<std::uint16_t> ports;     // ascending; empty: every port (only deny)
    wall_time expires = never;
    std::optional<upload_limits> upload;          // of one client; replaces the purpose's budget
    std::optional<upload_limits> upload_identity; // of all pods of one service account; otherwise that of one client, times the instances
    upload_limits upload_total;                   // of all clients together
    std::string account;                          // shared by several entries; empty: the entry has its own budgets
    budget_action on_budget = budget_action::cut;
    std::chrono::seconds max_age{0};                       // of a tunnel; 0: none
    std::uint32_t wildcard_names = limits::wildcard_names; // for one client within limits::name_window
    std::vector<ip_prefix> within;                         // private_link
    std::vector<ip_address> addresses;                     // private_link: pinned, no DNS
    std::string owner, reason, ticket;
    std::string file; // where the entry is defined
    std::uint32_t line = 0;
    std::uint64_t id = 0;   // the entry's id in detectors and name budgets: budget_key::id_of(name); never 0
    std::uint32_t slot = 0; // of its counters; stable over reloads, below limits::rule_slots; 0 when no slot was left

    bool takes(std::uint16_t port) const noexcept;
    bool denies(const group_set&, std::uint16_t port) const noexcept; // for a deny: whether it applies to one of these groups at this port
};

} // namespace exeat
