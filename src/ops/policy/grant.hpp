// A grant: one entry for a while, in a file of its own in allowlist.d; and the entries that end, as `exeat grants` lists them. Pure; any
// thread.
#pragma once

#include <exeat/rule.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace exeat::ops {

struct grant {
    std::string name;
    std::vector<std::string> hosts, groups; // no groups: every group
    std::vector<std::uint16_t> ports;       // none: the protocol's
    std::string protocol, purpose;          // empty: the default
    std::string owner, reason, ticket;
    wall_time expires = never;

    std::string to_toml() const; // with its last line's end
};

} // namespace exeat::ops
