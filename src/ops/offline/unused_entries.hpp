// Which parts of an allowlist were used and which were not, according to an audit log. Pure; any thread.
#pragma once

#include <ops/offline/observed_use.hpp>
#include <ops/policy/allowlist_draft.hpp>

#include <optional>
#include <string>
#include <vector>

namespace exeat::ops {

struct wildcard_use {
    std::string pattern;
    std::vector<std::string> names; // in use, in ascending order
    bool replaceable() const noexcept { return names.size() <= limits::wildcard_replacements; }
};

struct entry_use {
    const entry* what = nullptr; // in the draft
    std::uint64_t requests = 0;
    std::vector<std::string> unused;     // exact hosts without a request; not those of a hosts_file
    std::vector<wildcard_use> wildcards; // also not those of a hosts_file
    std::uint64_t busiest_hour = 0;      // octets; the most that one client uploaded within a clock hour

    bool tenth() const noexcept; // a tenth of its hourly budget would be enough
};

// For each entry that is not a [[deny]], in the draft's order.
std::vector<entry_use> uses_of(const allowlist_draft&, const observed_use&);

// One line for each finding, safe to print; empty when everything is used.
std::vector<std::string> to_lines(const std::vector<entry_use>&);

} // namespace exeat::ops
