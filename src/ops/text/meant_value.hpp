// Suggestions for a value or a key that a configuration file cannot have there. Pure; any thread.
#pragma once

#include <ops/text/toml_source.hpp>

#include <string>
#include <string_view>

namespace exeat::ops {

std::string_view kind_of(const toml::node&) noexcept; // "a list"
// The given value in the wanted form; empty when that is not possible.
std::string as_wanted(const toml::node&, std::string_view wanted);
// Why an element of a list of ports is not a port.
std::string objection_to_port(const toml::node&);
// A hint for top-level keys that other programs have and exeat has not; empty for any other key.
std::string_view known_elsewhere(std::string_view key) noexcept;

} // namespace exeat::ops
