// A grant: one entry for a limited time, in a file of its own in allowlist.d. Pure; any thread.
#pragma once

#include <exeat/rule.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace exeat::ops {

struct grant {
    std::string name;
    std::vector<std::string> hosts, groups; // no groups: every group
    std::vector<std::uint16_t> ports;       // none: the protocol's default
    std::string protocol, purpose;          // empty: the default
    std::string owner, reason, ticket;
    wall_time expires = never;

    std::string to_toml() const; // with the newline of its last line
};

} // namespace exeat::ops
