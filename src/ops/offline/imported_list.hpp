// An allowlist made from another proxy's list. Diagnostics report what it does not express: an error is a loss, a warning is for
// information. Pure; any thread.
#pragma once

#include <exeat/names/name_index.hpp>
#include <exeat/rule.hpp>
#include <ops/text/problem.hpp>

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace exeat::ops {

// An address that no client has (RFC 1122 section 3.2.1.3): the loader accepts a group with this source, and no client is in it.
inline constexpr std::string_view nobody = "0.0.0.0/32";

// What the other list does not contain and only a person can decide.
struct import_wishes {
    std::string from;                                      // the file's name, for messages
    std::string owner;                                     // of entries without an owner in the other list
    wall_time report_until = never;                        // never: no group is in report mode
    std::vector<std::uint16_t> tls_ports, http_ports;      // without http_ports, nothing is opened for plain HTTP
    std::map<std::string, std::vector<ip_prefix>> sources; // by role or group
};

struct imported_group {
    std::string name, role;         // the name here and in the other list
    std::vector<ip_prefix> sources; // empty: unknown
    bool report = false;            // in report mode until import_wishes::report_until
};

struct imported_entry {
    rule_kind kind = rule_kind::allow;
    std::string name;
    std::vector<std::string> hosts;
    std::vector<std::string> groups; // empty: every group
    std::string owner, reason;
};

struct imported_list {
    std::vector<imported_group> groups;
    std::vector<imported_entry> entries;
};

// A valid name for a group or an entry, made from `name` and different from all in `taken`.
std::string label_for(std::string_view name, const std::vector<std::string>& taken);

// The allowlist as `exeat check` accepts it, with the problems as comments at its start.
std::string to_toml(const imported_list&, const import_wishes&, const std::vector<problem>&);

} // namespace exeat::ops
