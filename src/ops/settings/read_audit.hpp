// The table [audit] of exeat.toml. Private to ops; one thread.
#pragma once

#include <exeat/config.hpp>
#include <ops/text/section.hpp>

#include <string>

namespace exeat::ops {

void read_audit(section&, config&);

// Resolves a relative path against the directory of `file`; returns an absolute path unchanged.
std::string beside(const std::string& file, const std::string& path);

} // namespace exeat::ops
