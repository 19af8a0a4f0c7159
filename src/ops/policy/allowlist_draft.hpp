// The content of an allowlist before it is compiled; lint and diff compare it, the loader compiles it. One thread.
#pragma once

#include <ops/policy/allowlist_entries.hpp>
#include <ops/policy/expectations.hpp>

#include <vector>

namespace exeat::ops {

struct allowlist_draft {
    policy_settings settings; // without sha256
    std::vector<group> groups;
    std::vector<entry> entries;
    std::vector<expectation> expectations;
};

// Reads the whole tree, even when parts of it are invalid.
allowlist_draft read_draft(const toml::table&, diagnostics&, wall_time now);

// Reads a file of allowlist.d: entries for these groups, 'serial' and 'expires', which limits the expiry of all its entries. Everything
// else belongs in the allowlist itself.
allowlist_draft read_part(const toml::table&, diagnostics&, const std::vector<group>&, wall_time now);

} // namespace exeat::ops
