// Files for a later process end with a SHA-256 over everything before it, which detects disk errors; it does not stop anyone who can write
// the file. Pure; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace exeat::ops {

bool seal(std::string& bytes);                       // false, and nothing appended, when the library provides no SHA-256
std::string sealed_heading(std::string_view format); // the first line, from formats.hpp, with its line feed
// The bytes between the heading of this format and the seal; empty when one of the two is wrong.
std::optional<std::string_view> unsealed(std::string_view bytes, std::string_view format);

} // namespace exeat::ops
