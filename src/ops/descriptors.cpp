#include <ops/descriptors.hpp>

#include <exeat/limits.hpp>

#include <algorithm>
#include <string>
#include <sys/resource.h>

namespace exeat::ops {

namespace {

// As many fds as the machine allows; what a tunnel may take of them is the cap on connections.
std::size_t raise_fd_limit()
{
    rlimit fds{};
    ::getrlimit(RLIMIT_NOFILE, &fds);
    fds.rlim_cur = fds.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &fds);
    ::getrlimit(RLIMIT_NOFILE, &fds);
    return fds.rlim_cur;
}

} // namespace

std::size_t affordable_connections(const config& c, const event_log& log)
{
    const auto fds = raise_fd_limit();
    const auto reserved = std::min<std::size_t>(limits::reserved_fds, fds / 2);
    const auto affordable = (fds - reserved) / limits::fds_per_tunnel;
    if (c.connections <= affordable) return c.connections;
    log.say(
        severity::warning, "fewer connections than configured: the limit of open files is too low",
        {{"connections", std::to_string(affordable)}, {"configured", std::to_string(c.connections)}, {"open files", std::to_string(fds)}});
    return affordable;
}

} // namespace exeat::ops
