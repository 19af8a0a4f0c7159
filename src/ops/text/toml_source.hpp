// The text of a TOML file to its tree, with the places that problems refer to. Views and nodes live as long as the tree.
#pragma once

#include <ops/text/diagnostics.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <toml++/toml.h>

namespace exeat::ops {

place at(const toml::source_region&) noexcept;
inline place at(const toml::node& n) noexcept { return at(n.source()); }

// TOML 1.0; nullopt after one finding, for the grammar ends at its first breach.
std::optional<toml::table> parse_toml(std::string_view text, diagnostics&);

} // namespace exeat::ops
