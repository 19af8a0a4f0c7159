#include <exeat/detect/direction.hpp>

#include <chrono>

namespace exeat::detect {

namespace {

constexpr moment quiet{6 * 3'600};

double lean(std::uint64_t up, std::uint64_t down) noexcept
{
    const auto u = static_cast<double>(up), d = static_cast<double>(down);
    return u + d > 0 ? (u - d) / (u + d) : 0;
}

} // namespace

void direction_watch::see(const flow_event& e, findings& out)
{
    if (e.up == 0 && e.down == 0) return;
    auto& f = clients_.use({e.client, 0});
    const auto minute = std::chrono::floor<std::chrono::minutes>(e.at);
    f.up.advance(minute);
    f.down.advance(minute);
    f.up.add(e.up);
    f.down.add(e.down);
    const auto &up = f.up.sums(), &down = f.down.sums();
    constexpr auto hour = static_cast<std::size_t>(budget_window::hour), week = static_cast<std::size_t>(budget_window::week);
    const auto now = lean(up[hour], down[hour]);
    const bool flipped = up[hour] > than_.flip_bytes && now > than_.flip_now && lean(up[week], down[week]) < than_.flip_before;
    if (flipped && f.told.may(e.at, quiet)) out.push_back({detector::direction_flip, e.client, e.entry, now, than_.flip_now});
}

} // namespace exeat::detect
