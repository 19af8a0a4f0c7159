#include <ops/text/volume_text.hpp>

#include <array>
#include <fmt/format.h>
#include <string_view>

namespace exeat::ops {

std::string volume_text(std::uint64_t octets)
{
    constexpr std::array<std::string_view, 4> units{"KiB", "MiB", "GiB", "TiB"};
    if (octets < 1024) return fmt::format("{} B", octets);
    auto shown = static_cast<double>(octets) / 1024;
    std::size_t unit = 0;
    for (; shown >= 1023.95 && unit + 1 < units.size(); ++unit) shown /= 1024; // otherwise it would print 1024.0
    return fmt::format("{:.1f} {}", shown, units[unit]);
}

std::string counted(std::uint64_t n, std::string_view one, std::string_view more) { return fmt::format("{} {}", n, n == 1 ? one : more); }

} // namespace exeat::ops
