// Compares two policies exactly: for every client, host, port and approach, whether decide() differs, not whether the text differs. Hosts
// are grouped into finitely many kinds that no pattern of either policy distinguishes (the host itself, one label below, deeper), clients
// into those that the groups of both policies do not distinguish; one of each kind is evaluated. Report mode is ignored: the comparison
// uses the verdicts under "enforce". Networks of [[deny]] are compared separately, whatever names resolve to them. Reads both policies
// while it runs; the result refers to their rules. Pure; any thread.
#pragma once

#include <exeat/policy.hpp>

#include <string>
#include <vector>

namespace exeat {

enum class change_kind : std::uint8_t { opens, widens, narrows, closes };
inline constexpr std::size_t change_kinds = 4;
std::string_view to_string(change_kind) noexcept;

// Clients that are in the same groups before, and in the same groups after.
struct client_class {
    ip_address example;
    std::string service_account;            // of the example, if it is a pod
    std::vector<std::string> before, after; // names of their groups, ascending
    bool operator==(const client_class&) const = default;
};

struct policy_change {
    change_kind what = change_kind::opens;
    std::size_t clients = 0;        // index into policy_diff::clients
    std::string hosts;              // a host or a pattern, as in an allowlist; or a denied network
    std::uint16_t port = 0;         // 0: every port, of a network
    std::vector<std::uint16_t> but; // if port is 0: except for these ports
    const rule* before = nullptr;   // that allowed it; null: none. For a network: that denied it
    const rule* after = nullptr;    // that allows it now; for a network: that denies it
    std::vector<std::string> terms; // widens, narrows: the changes, such as "expires later"; for a network: what opens or closes
};

struct policy_diff {
    std::vector<client_class> clients;
    std::vector<policy_change> changes; // ascending by kind, clients, rule, hosts, port
};

policy_diff compare(const policy& before, const policy& after, wall_time now);

} // namespace exeat
