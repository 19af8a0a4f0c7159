#include <net/wall_clock.hpp>

namespace exeat::net {

namespace {
constinit high_water mark;
}

wall_time wall_now() noexcept { return mark.raise(std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now())); }

void wall_has_been(wall_time seen) noexcept { mark.raise(seen); }

} // namespace exeat::net
