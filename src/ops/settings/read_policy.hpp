// [policy] of exeat.toml: which list is enforced, and who must have approved it. One thread.
#pragma once

#include <exeat/config.hpp>
#include <ops/text/section.hpp>

#include <string>

namespace exeat::ops {

void read_policy(section&, config&);

// Resolves a relative path of exeat.toml against that file's own directory.
std::string beside_config(const std::string& file, const std::string& path);

} // namespace exeat::ops
