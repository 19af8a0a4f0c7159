// What one policy opens and closes against another, exactly: for every client, host, port and way in, whether decide() says otherwise, not
// whether the text differs. Hosts fall into finitely many kinds that no pattern of either policy tells apart (the host itself, one label
// below, deeper), clients into those that the groups of both policies do not tell apart; one of each kind is asked. Report mode is left
// out: what is compared is what "enforce" would say. Networks of [[deny]] are compared by themselves, whatever names lead there. Reads both
// policies while it runs and refers to their rules after. Pure; any thread.
#pragma once

#include <exeat/policy.hpp>

#include <string>
#include <vector>

namespace exeat {

enum class change_kind : std::uint8_t { opens, widens, narrows, closes };
inline constexpr std::size_t change_kinds = 4;
std::string_view to_string(change_kind) noexcept;

// Clients that belong to the same groups before, and to the same groups after.
struct client_class {
    ip_address example;
    std::vector<std::string> before, after; // names of their groups, ascending
    bool operator==(const client_class&) const = default;
};

struct policy_change {
    change_kind what = change_kind::opens;
    std::size_t clients = 0;        // index into policy_diff::clients
    std::string hosts;              // a host or a pattern, as in an allowlist; or a network that no answer may lie in
    std::uint16_t port = 0;         // 0: every port, of a network
    std::vector<std::uint16_t> but; // with every port: these are not meant
    const rule* before = nullptr;   // that allowed it; null: none did. Of a network: that denied it
    const rule* after = nullptr;    // that allows it now; of a network: that denies it
    std::vector<std::string> terms; // widens, narrows: which, as "expires later"; of a network: what opens or closes
};

struct policy_diff {
    std::vector<client_class> clients;
    std::vector<policy_change> changes; // ascending by kind, clients, rule, hosts, port
};

policy_diff compare(const policy& before, const policy& after, wall_time now);

} // namespace exeat
