// A client, a service account or an entry that an analyst quarantines for a while. It overrides the allowlist, its grants and report mode,
// and it only narrows: nothing that it names is allowed, and open tunnels are closed. Values; any thread.
#pragma once

#include <exeat/ip_address.hpp>
#include <exeat/rule.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace exeat {

struct quarantine {
    std::optional<ip_prefix> client{}; // all clients in this network; or, without it, ...
    std::string entry{};               // ... everything that this entry allows; or ...
    wall_time since{}, until{};
    std::string by{}, reason{};    // informative only
    std::string service_account{}; // ... all pods of this service account, "namespace/name"

    // `account`: the service account of the client's pod; empty: it is none.
    bool holds(const ip_address& source, std::string_view of_entry, std::string_view account = {}) const noexcept;
    bool same_target(const quarantine& other) const noexcept
    {
        return client == other.client && entry == other.entry && service_account == other.service_account;
    }
    std::string client_text() const; // "10.42.3.7", "10.42.0.0/16"; empty for anything else
    std::string target() const;      // "client 10.42.3.7", "entry packages", "service account training/trainer"

    bool operator==(const quarantine&) const = default;
};

using quarantines = std::vector<quarantine>;

} // namespace exeat
