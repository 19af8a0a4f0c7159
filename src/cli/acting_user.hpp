// Who is at the keyboard, also behind sudo: for the log. Any thread.
#pragma once

#include <string>

namespace exeat::cli {

std::string acting_user();

} // namespace exeat::cli
