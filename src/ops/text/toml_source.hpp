// Parses the text of a TOML file into a tree, with the places that problems refer to. Views and nodes live as long as the tree.
#pragma once

#include <ops/text/diagnostics.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <toml++/toml.h>

namespace exeat::ops {

place at(const toml::source_region&) noexcept;
inline place at(const toml::node& n) noexcept { return at(n.source()); }

// TOML 1.0; reports every mistake that it finds. nullopt when the file could not be read completely.
std::optional<toml::table> parse_toml(std::string_view text, diagnostics&);

} // namespace exeat::ops
