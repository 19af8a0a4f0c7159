// What an analyst quarantines for a while: a client or an entry. It stands above the allowlist, its grants and report mode, and it only
// narrows: nothing that it names is let out, and what was open ends. Values; any thread.
#pragma once

#include <exeat/ip_address.hpp>
#include <exeat/rule.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace exeat {

struct quarantine {
    std::optional<ip_prefix> client; // all whose source lies there; or, without it, ...
    std::string entry;               // ... all that this entry lets out
    wall_time since{}, until{};
    std::string by, reason; // for people

    bool holds(const ip_address& source, std::string_view of_entry) const noexcept;
    bool same_target(const quarantine& other) const noexcept { return client == other.client && entry == other.entry; }
    std::string client_text() const; // "10.42.3.7", "10.42.0.0/16"; empty of an entry
    std::string target() const;      // "client 10.42.3.7", "entry packages"

    bool operator==(const quarantine&) const = default;
};

using quarantines = std::vector<quarantine>;

} // namespace exeat
