// The user who runs the command, also under sudo; for the log. Any thread.
#pragma once

#include <string>

namespace exeat::cli {

std::string acting_user();

} // namespace exeat::cli
