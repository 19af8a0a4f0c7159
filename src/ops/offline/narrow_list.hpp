// The narrowest allowlist that would have served the same requests: exact hosts with the ports and groups that were seen, nothing else.
// Other settings of an entry in the list in force are kept. Pure; any thread.
#pragma once

#include <ops/offline/observed_use.hpp>
#include <ops/policy/allowlist_draft.hpp>

#include <string>
#include <vector>

namespace exeat::ops {

// One entry. Every combination of its hosts, ports and groups was seen.
struct narrow_entry {
    rule value;                             // without groups, which are below, by name
    std::vector<std::string> hosts, groups; // hosts in the form of written_host()
    std::string origin;                     // the entry that served it, as named in the log
    bool reported = false;                  // passed only because the list was in report mode
    std::uint64_t requests = 0, upload = 0, download = 0;
    std::uint64_t busiest_hour = 0; // octets; the most that one client uploaded through the origin within a clock hour
};

struct narrow_group {
    std::string name;
    std::vector<ip_prefix> sources; // empty: any, for a group with workloads
    workload_terms workloads;
    std::uint32_t instances = limits::instances;
    bool given = false;                // the sources and workloads are those of the list in force
    std::vector<ip_address> elsewhere; // given: clients that were served and are in none of the sources
};

// A [[deny]] of the list in force, as far as it is about addresses: an exact name may resolve to one.
struct narrow_deny {
    rule value;                             // without groups, which are below, by name
    std::vector<std::string> hosts, groups; // groups: empty means every group
    std::string hosts_file;                 // its path relative to the list; empty: none
};

struct candidate {
    refused_target what;
    std::uint64_t times = 0; // a lower bound if some were forgotten
};

struct narrow_list {
    policy_settings settings;
    std::vector<narrow_group> groups;
    std::vector<narrow_entry> entries;
    std::vector<candidate> candidates;          // the most requested first
    std::uint64_t more_candidates = 0;          // beyond limits::candidates
    std::vector<served_target> reported;        // what only report mode let pass, without narrow_wishes::reported
    std::vector<served_target> not_expressible; // served, but no entry can express it
    std::vector<narrow_deny> address_denies;
    std::size_t denies = 0; // other [[deny]] entries of the list in force; exact hosts need none

    bool whole() const noexcept; // it serves all that was served and is within the limits of a policy
};

struct narrow_wishes {
    bool reported = false;    // make entries of what report mode let pass
    std::uint64_t times = 10; // a refused target is a candidate after this many requests
};

// `given`: the list in force; may be null.
narrow_list narrow(const observed_use&, const allowlist_draft* given, const narrow_wishes&);

// As in an allowlist and in an authority (RFC 3986 section 3.2.2): an IPv6 address is in brackets.
std::string written_host(const std::string& canonical);

// An hourly budget for the observed use: limits::upload_headroom times the busiest hour, in octets, rounded up to whole MiB.
std::uint64_t proposed_upload(std::uint64_t busiest_hour) noexcept;

} // namespace exeat::ops
