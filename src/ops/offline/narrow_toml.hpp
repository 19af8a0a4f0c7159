// A narrow list as an allowlist that `exeat check` accepts. Nothing that a client sent can be more in it than a canonical host name.
// Pure; any thread.
#pragma once

#include <ops/offline/narrow_list.hpp>

#include <string>
#include <vector>

namespace exeat::ops {

// `head` becomes the comment that it begins with, `remarks` the one at its end: a line each, of harmless text.
std::string to_toml(const narrow_list&, const std::vector<std::string>& head, const std::vector<std::string>& remarks);

} // namespace exeat::ops
