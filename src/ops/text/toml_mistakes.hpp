// Typing mistakes that make a file invalid TOML or change its meaning: quotes that are missing or not closed, and [allow] for [[allow]].
// Each is reported at the line where it begins. Pure; any thread.
#pragma once

#include <ops/text/diagnostics.hpp>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace exeat::ops {

// Tables that a file may have several times, such as [[allow]].
inline constexpr std::array<std::string_view, 5> many_of{"allow", "private_link", "deny", "expect", "listen"};

struct toml_mistake {
    place at;
    std::string text;
};

// Quotes that are not closed, in the order of the file. At most `most`.
std::vector<toml_mistake> unclosed_quotes(std::string_view text, std::size_t most);

// Finds headers in single brackets that need double brackets, and corrects them in `text`.
std::vector<toml_mistake> single_brackets(std::string& text);

// The list that is not closed before line `before`, where the parser reported the error.
std::optional<toml_mistake> open_list(std::string_view text, std::uint32_t before);

// Without its line feed; empty beyond the last line.
std::string_view line_of(std::string_view text, std::uint32_t line) noexcept;

// How to fix a line with a syntax error, when that is clear; empty otherwise.
std::string fix_for_line(std::string_view line);

} // namespace exeat::ops
