// What a narrow list keeps of the [[deny]] entries of the list in force: those that may name addresses, as an exact name can resolve to
// one. Pure; any thread.
#pragma once

#include <ops/offline/narrow_list.hpp>

#include <vector>

namespace exeat::ops {

// For the groups that the narrow list has: a deny for none of them denies nobody.
std::vector<narrow_deny> address_denies(const allowlist_draft& given, const std::vector<narrow_group>& groups);

} // namespace exeat::ops
