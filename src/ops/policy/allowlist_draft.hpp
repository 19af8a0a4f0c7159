// What an allowlist says, before anything is compiled: what the loader compiles, and what lint and diff compare. One thread.
#pragma once

#include <ops/policy/allowlist_entries.hpp>
#include <ops/policy/expectations.hpp>

#include <vector>

namespace exeat::ops {

struct allowlist_draft {
    policy_settings settings; // no sha256 yet
    std::vector<group> groups;
    std::vector<entry> entries;
    std::vector<expectation> expectations;
};

// Reads the whole tree, whatever is wrong with parts of it.
allowlist_draft read_draft(const toml::table&, diagnostics&, wall_time now);

// A file of allowlist.d: entries for these groups, 'serial' and 'expires', which ends every entry that would last longer. All else belongs
// in the allowlist itself.
allowlist_draft read_part(const toml::table&, diagnostics&, const std::vector<group>&, wall_time now);

} // namespace exeat::ops
