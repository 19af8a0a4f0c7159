// What a service manager hands over in the environment. Main thread, before there is another.
#pragma once

#include <cstdlib>
#include <string>

namespace exeat::ops {

// The variable's value, which nobody takes for theirs later: it is unset. Empty: there is none.
inline std::string take_from_environment(const char* name)
{
    const char* value = std::getenv(name);
    std::string out = value ? value : "";
    ::unsetenv(name);
    return out;
}

} // namespace exeat::ops
