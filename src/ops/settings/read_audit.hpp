// The table [audit] of exeat.toml. Private to ops; one thread.
#pragma once

#include <exeat/config.hpp>
#include <ops/text/section.hpp>

#include <string>

namespace exeat::ops {

void read_audit(section&, config&);

// Where a path of a file leads that does not begin at the root: from the file's directory.
std::string beside(const std::string& file, const std::string& path);

} // namespace exeat::ops
