// What of an allowlist was used and what was not, by the traffic of an audit log. Pure; any thread.
#pragma once

#include <ops/offline/observed_use.hpp>
#include <ops/policy/allowlist_draft.hpp>

#include <optional>
#include <string>
#include <vector>

namespace exeat::ops {

struct wildcard_use {
    std::string pattern;
    std::vector<std::string> names; // in use, ascending
    bool replaceable() const noexcept { return names.size() <= limits::wildcard_replacements; }
};

struct entry_use {
    const entry* what = nullptr; // of the draft
    std::uint64_t requests = 0;
    std::vector<std::string> unused;     // exact hosts that nobody asked for; not those of a hosts_file
    std::vector<wildcard_use> wildcards; // the same
    std::uint64_t busiest_hour = 0;      // of one client's upload

    bool tenth() const noexcept; // a tenth of its budget for an hour would have done
};

// Of each entry that lets out, in the file's order.
std::vector<entry_use> uses_of(const allowlist_draft&, const observed_use&);

// One line for each finding; empty when everything is used. Harmless to print.
std::vector<std::string> to_lines(const std::vector<entry_use>&);

} // namespace exeat::ops
