#include <net/wall_clock.hpp>

namespace exeat::net {

wall_time wall_now() noexcept
{
    static constinit high_water mark;
    return mark.raise(std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now()));
}

} // namespace exeat::net
