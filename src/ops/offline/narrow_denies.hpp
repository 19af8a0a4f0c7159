// The [[deny]] entries of the list in force that a narrow list keeps: those that may name addresses, because an exact name can resolve to
// one. Pure; any thread.
#pragma once

#include <ops/offline/narrow_list.hpp>

#include <vector>

namespace exeat::ops {

// Limited to the groups of the narrow list; a deny that applies to none of them is dropped.
std::vector<narrow_deny> address_denies(const allowlist_draft& given, const std::vector<narrow_group>& groups);

} // namespace exeat::ops
