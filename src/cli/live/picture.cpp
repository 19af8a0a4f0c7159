#include <cli/live/picture.hpp>

namespace exeat::cli::live {

void picture::take(status_answer now, moment when)
{
    trouble.clear();
    const bool restarted = status.last && now.uptime < status.last->uptime;
    status.take(std::move(now), when);
    if (restarted) status.before.reset();
}

void picture::take(tunnels_answer now, moment when)
{
    tunnels_trouble.clear();
    tunnels.take(std::move(now), when);
}

rate picture::rate_of(std::uint64_t status_answer::*total) const
{
    if (!status.last || !status.before) return std::nullopt;
    return per_second((*status.last).*total, (*status.before).*total, status.between);
}

} // namespace exeat::cli::live
