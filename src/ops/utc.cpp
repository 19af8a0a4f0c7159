#include <ops/utc.hpp>

#include <fmt/chrono.h>

namespace exeat::ops {

std::string utc(wall_time t)
{
    return t == never ? "never" : fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::chrono::system_clock::to_time_t(t)));
}

} // namespace exeat::ops
