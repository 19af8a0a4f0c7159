// A narrow list as an allowlist that `exeat check` accepts. Nothing that a client sent appears in it except canonical host names. Pure; any
// thread.
#pragma once

#include <ops/offline/narrow_list.hpp>

#include <string>
#include <vector>

namespace exeat::ops {

// `head` becomes the comment at its start, `remarks` the one at its end: each string is one line of harmless text.
std::string to_toml(const narrow_list&, const std::vector<std::string>& head, const std::vector<std::string>& remarks);

} // namespace exeat::ops
