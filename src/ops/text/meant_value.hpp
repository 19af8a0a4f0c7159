// What was most likely meant by a value or a key that a file of ours cannot have there. Pure; any thread.
#pragma once

#include <ops/text/toml_source.hpp>

#include <string>
#include <string_view>

namespace exeat::ops {

std::string_view kind_of(const toml::node&) noexcept; // "a list"
// The value as given, in the form that is wanted; empty where that cannot be known.
std::string as_wanted(const toml::node&, std::string_view wanted);
// Of an element of a list of ports that is none.
std::string objection_to_port(const toml::node&);
// What other programs' files have at the top, and these have not; empty for any other key.
std::string_view known_elsewhere(std::string_view key) noexcept;

} // namespace exeat::ops
