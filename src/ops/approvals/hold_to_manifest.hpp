// What can be compared with a manifest only once the list is parsed: its serial, that it ends, and that every hosts_file has its entry.
#pragma once

#include <ops/approvals/manifest.hpp>
#include <ops/policy/load_allowlist.hpp>

namespace exeat::ops {

// Takes the rules away from a list that is not what its manifest says, and says why.
void hold_to_manifest(loaded_allowlist&, const manifest&, const std::string& allowlist);

} // namespace exeat::ops
