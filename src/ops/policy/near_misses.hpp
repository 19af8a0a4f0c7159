// Explains why a policy refuses a target, by the entries that come closest to it; for `explain`, and for an [[expect]] that fails. Pure;
// any thread.
#pragma once

#include <exeat/policy.hpp>

#include <string>
#include <vector>

namespace exeat::ops {

// Names of groups, or "none".
std::string groups_text(const group_set&, const policy&);
std::string place_of(const rule&); // "allowlist.toml:12", or "built in"

// One sentence for each entry that names the host or almost does; for a client in no group, one sentence about that. Empty when the verdict
// and its entry explain everything.
std::vector<std::string> near_misses(verdict why, const client&, const target&, const policy&);

} // namespace exeat::ops
