// Text from outside, made safe for a terminal: no controls, no escape sequences, and every character is exactly one column wide. Pure; any
// thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace exeat::cli::live {

// What the terminal can show.
enum class charset { ascii, utf8 };

// Writes characters that are not safe to print like \x1b or \u202e. The result is cut to limits::top_text columns.
std::string printable(std::string_view text, charset);

// All of these take printable text.
std::size_t width(std::string_view) noexcept;
std::string clipped(std::string text, std::size_t columns); // ends with ~ if it was cut
std::string padded(std::string text, std::size_t columns, bool right_aligned);

} // namespace exeat::cli::live
