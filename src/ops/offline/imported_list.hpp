// An allowlist that was made of another proxy's list. What could not be said in it is in the findings that it came with: an error is a
// loss, a warning is to be known. Pure; any thread.
#pragma once

#include <exeat/names/name_index.hpp>
#include <exeat/rule.hpp>
#include <ops/text/problem.hpp>

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace exeat::ops {

// Nobody's address: a group with these sources is one that the loader takes and no client is in (RFC 1122 section 3.2.1.3).
inline constexpr std::string_view nobody = "0.0.0.0/32";

// What the other list does not know and only a person can say.
struct import_wishes {
    std::string from;                                      // the file's name, for people
    std::string owner;                                     // of entries that have none there
    wall_time report_until = never;                        // never: no group is in report mode
    std::vector<std::uint16_t> tls_ports, http_ports;      // without the latter nothing is opened for plain HTTP
    std::map<std::string, std::vector<ip_prefix>> sources; // of a role or a group
};

struct imported_group {
    std::string name, role;         // as it is called here, and there
    std::vector<ip_prefix> sources; // empty: they are not known
    bool report = false;            // in report mode until import_wishes::report_until
};

struct imported_entry {
    rule_kind kind = rule_kind::allow;
    std::string name;
    std::vector<std::string> hosts;
    std::vector<std::string> groups; // empty: every one
    std::string owner, reason;
};

struct imported_list {
    std::vector<imported_group> groups;
    std::vector<imported_entry> entries;
};

// `name` as a group or an entry may be called, and as none is yet.
std::string label_for(std::string_view name, const std::vector<std::string>& taken);

// What `exeat check` accepts. The problems stand in front, as comments.
std::string to_toml(const imported_list&, const import_wishes&, const std::vector<problem>&);

} // namespace exeat::ops
