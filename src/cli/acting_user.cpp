#include <cli/acting_user.hpp>

#include <exeat/limits.hpp>
#include <ops/text/json_text.hpp>

#include <cstdlib>
#include <fmt/core.h>
#include <pwd.h>
#include <unistd.h>

namespace exeat::cli {

std::string acting_user()
{
    for (const auto* name : {"SUDO_USER", "USER", "LOGNAME"})
        if (const char* value = std::getenv(name); value != nullptr && *value != '\0')
            return ops::one_line(std::string{value}.substr(0, limits::label_octets)); // anyone can set the environment
    const auto* known = ::getpwuid(::getuid());
    return known == nullptr ? fmt::format("user {}", ::getuid()) : std::string{known->pw_name}.substr(0, limits::label_octets);
}

} // namespace exeat::cli
