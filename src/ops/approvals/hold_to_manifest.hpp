// The checks against a manifest that need the parsed list: its serial, that it has an end, and that an entry uses each hosts_file.
#pragma once

#include <ops/approvals/manifest.hpp>
#include <ops/policy/load_allowlist.hpp>

namespace exeat::ops {

// Removes the rules of a list that does not match its manifest, and adds the reason to its problems.
void hold_to_manifest(loaded_allowlist&, const manifest&, const std::string& allowlist);

} // namespace exeat::ops
