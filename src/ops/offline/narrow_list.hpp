// The narrowest allowlist that would have served what was served: exact hosts, the ports and groups that were seen, nothing else. What an
// entry of the list in force said about itself is kept. Pure; any thread.
#pragma once

#include <ops/offline/observed_use.hpp>
#include <ops/policy/allowlist_draft.hpp>

#include <string>
#include <vector>

namespace exeat::ops {

// One entry. Its hosts, ports and groups were all seen with each other.
struct narrow_entry {
    rule value;                             // without groups: they are below, by name
    std::vector<std::string> hosts, groups; // hosts as written_host writes them
    std::string origin;                     // the entry that served it, as the log calls it
    bool reported = false;                  // passed only because the list was in report mode
    std::uint64_t requests = 0, upload = 0, download = 0;
    std::uint64_t busiest_hour = 0; // of one client's upload through the origin
};

struct narrow_group {
    std::string name;
    std::vector<ip_prefix> sources;
    bool given = false;                // the sources are those of the list in force
    std::vector<ip_address> elsewhere; // given: clients that were served and lie in none of them
};

// What a [[deny]] of the list in force says of addresses: an exact name may resolve to one.
struct narrow_deny {
    rule value;                             // without groups: they are below, by name
    std::vector<std::string> hosts, groups; // groups: empty for every one
    std::string hosts_file;                 // its name beside the list; empty: none
};

struct candidate {
    refused_target what;
    std::uint64_t times = 0; // at least, where some were forgotten
};

struct narrow_list {
    policy_settings settings;
    std::vector<narrow_group> groups;
    std::vector<narrow_entry> entries;
    std::vector<candidate> candidates;          // the most asked for first
    std::uint64_t more_candidates = 0;          // beyond limits::candidates
    std::vector<served_target> reported;        // what only report mode let pass, where no entries were asked for
    std::vector<served_target> not_expressible; // served, and no entry can say it
    std::vector<narrow_deny> address_denies;
    std::size_t denies = 0; // other [[deny]] entries of the list in force: exact hosts need none

    bool whole() const noexcept; // it serves all that was served, and a policy may be so large
};

struct narrow_wishes {
    bool reported = false;    // what report mode let pass becomes entries
    std::uint64_t times = 10; // a refused target is a candidate when it was asked for so often
};

// `given` may be null.
narrow_list narrow(const observed_use&, const allowlist_draft* given, const narrow_wishes&);

// As an allowlist and an authority write it (RFC 3986 section 3.2.2): an IPv6 address in brackets.
std::string written_host(const std::string& canonical);

// A budget for what was seen: limits::upload_headroom times the busiest hour, in whole MiB.
std::uint64_t proposed_upload(std::uint64_t busiest_hour) noexcept;

} // namespace exeat::ops
