// Reads [groups.NAME], [[allow]], [[private_link]] and [[deny]] of allowlist.toml into plain values; nothing is compiled yet. One thread.
#pragma once

#include <exeat/policy.hpp>
#include <ops/text/section.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace exeat::ops {

struct located_host {
    host_pattern pattern;
    place at;
};

struct located_network {
    ip_prefix network;
    place at;
};

struct entry {
    rule value;                      // its file, line and groups set; no counter slot yet
    std::vector<located_host> hosts; // written in the allowlist itself
    std::string hosts_file;          // its path; empty: none
    place hosts_file_at;
    std::string shared_suffix;               // why its wildcards may be above a shared suffix; empty: they may not
    std::vector<located_network> networks{}; // written in the allowlist itself; only of a deny
    place within_at{}, addresses_at{};       // only of a private link
};

// Whether this is a valid name for an entry, a group or an account.
bool label_like(std::string_view name) noexcept;
inline constexpr std::string_view name_advice =
    "write lower-case letters, digits, '.', '_' and '-', a letter or digit first, 64 octets at most";

// Why the entry cannot have this valid host; empty: it can.
std::string objection_to(const host_pattern&, const entry&);

std::vector<group> read_groups(section& root);
// [[allow]] first, then [[private_link]], then [[deny]], each in the file's order.
std::vector<entry> read_entries(section& root, const std::vector<group>&, wall_time now);

} // namespace exeat::ops
