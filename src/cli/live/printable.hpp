// Text from outside as a terminal may be given it: no control, no escape sequence, nothing that is not exactly one column wide. Pure; any
// thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace exeat::cli::live {

// What the terminal can show.
enum class charset { ascii, utf8 };

// What is not plainly printable is written as \x1b or \u202e. Cut to limits::top_text columns.
std::string printable(std::string_view text, charset);

// All these take printable text.
std::size_t width(std::string_view) noexcept;
std::string clipped(std::string text, std::size_t columns); // ends with ~ where it was cut
std::string padded(std::string text, std::size_t columns, bool right_aligned);

} // namespace exeat::cli::live
