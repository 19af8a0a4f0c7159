// Variables that a service manager passes in the environment. Main thread, before any other thread starts.
#pragma once

#include <cstdlib>
#include <string>

namespace exeat::ops {

// Returns the variable's value and unsets it, so that no later code uses it. Empty: it was not set.
inline std::string take_from_environment(const char* name)
{
    const char* value = std::getenv(name);
    std::string out = value ? value : "";
    ::unsetenv(name);
    return out;
}

} // namespace exeat::ops
