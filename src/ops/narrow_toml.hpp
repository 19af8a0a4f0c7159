// A narrow list as an allowlist that `exeat check` accepts. Nothing that a client sent can be more in it than a canonical host name.
// Pure; any thread.
#pragma once

#include <ops/narrow_list.hpp>

#include <string>
#include <vector>

namespace exeat::ops {

// `head` becomes the comment that it begins with, `remarks` the one at its end: a line each, of harmless text.
std::string to_toml(const narrow_list&, const std::vector<std::string>& head, const std::vector<std::string>& remarks);

// A basic string (TOML 1.0): whatever is in it stays in it.
std::string toml_text(std::string_view);

} // namespace exeat::ops
