// What is written for a later process carries a SHA-256 over all before it, for a disk that errs; whoever can write the file is not kept
// out. Pure; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace exeat::ops {

bool seal(std::string& bytes);                       // false, and nothing appended, when the library has no SHA-256 for us
std::string sealed_heading(std::string_view format); // the first line, of formats.hpp, with its end
// What is between the heading of this format and the seal, where both are right.
std::optional<std::string_view> unsealed(std::string_view bytes, std::string_view format);

} // namespace exeat::ops
