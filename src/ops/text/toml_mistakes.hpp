// What people mistype in a TOML file before it is one: quotes that are not closed or not there, and [allow] for [[allow]]. Each is told of
// at the line where it began. Pure; any thread.
#pragma once

#include <ops/text/diagnostics.hpp>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace exeat::ops {

// Tables that a file has once for each thing: [[allow]].
inline constexpr std::array<std::string_view, 5> many_of{"allow", "private_link", "deny", "expect", "listen"};

struct toml_mistake {
    place at;
    std::string text;
};

// Quotes that are not closed, in the order of the file. At most `most`.
std::vector<toml_mistake> unclosed_quotes(std::string_view text, std::size_t most);

// Headers in single brackets of tables that there are many of, which `text` then has in double ones.
std::vector<toml_mistake> single_brackets(std::string& text);

// The list that is still open where line `before` ends it wrongly.
std::optional<toml_mistake> open_list(std::string_view text, std::uint32_t before);

// Without its end; empty beyond the last.
std::string_view line_of(std::string_view text, std::uint32_t line) noexcept;

// What the line of a syntax error wants, where that can be seen; empty otherwise.
std::string fix_for_line(std::string_view line);

} // namespace exeat::ops
