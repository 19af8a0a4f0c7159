// The keys of the configuration files, defined once: the readers take each key's name, example and bounds from its table, and `exeat help
// FILE`, the manual pages and the tests print the same tables. Values.
#pragma once

#include <ops/text/section.hpp>

#include <array>
#include <span>
#include <string>
#include <string_view>

namespace exeat::ops {

struct configuration_key {
    std::string_view name, type;
    std::string_view standard; // the value without the key; "required" for a required key
    std::string_view meaning;
    std::string_view example; // the value, as written
    value_bounds bounds{};

    constexpr operator toml_key() const { return {name, example, bounds}; } // NOLINT: a key is one
};

struct configuration_table {
    std::string_view title; // as the file writes it: "[limits]", "[[allow]]"; empty for the top level
    std::string_view also;  // the title of a table whose keys this one also has
    std::string_view meaning;
    std::span<const configuration_key> keys;
};

struct configuration_file {
    std::string_view name, line, meaning; // meaning: paragraphs, an empty line between them
    std::span<const configuration_table> tables;
};

// The key with this name; does not compile when the table lacks it.
template <std::size_t N> consteval configuration_key key_of(const std::array<configuration_key, N>& table, std::string_view name)
{
    for (const auto& k : table)
        if (k.name == name) return k;
    throw "the table has no such key";
}

// "1 to 65535", "1ms to 5m", "8 at most"; empty where a key has no bounds.
std::string to_text(const value_bounds&);

} // namespace exeat::ops
