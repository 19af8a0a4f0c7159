#include <ops/process/descriptors.hpp>

#include <exeat/limits.hpp>

#include <algorithm>
#include <string>
#include <sys/resource.h>

namespace exeat::ops {

namespace {

// Raises the limit of open files to the machine's maximum and returns it; the cap on connections limits how many of them tunnels use.
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

descriptor_plan divide_descriptors(const config& c, std::size_t fds) noexcept
{
    const std::size_t channels = c.dns_servers.empty() ? 2 : 1; // two while the system's servers change
    const auto of_worker = limits::fds_per_worker + channels * limits::dns_sockets + c.listeners.size();
    const auto reserved = std::min(limits::reserved_fds + c.workers * of_worker, fds / 2);
    const auto left = fds - reserved;
    const auto workers = std::max<std::size_t>(c.workers, 1);
    const auto spare = std::min(limits::spare_descriptors, left / limits::spare_part / workers);
    return {std::min(c.connections, (left - spare * workers) / limits::fds_per_tunnel), spare};
}

descriptor_plan plan_descriptors(const config& c, const event_log& log)
{
    const auto fds = raise_fd_limit();
    const auto plan = divide_descriptors(c, fds);
    if (plan.connections < c.connections)
        log.say(severity::warning, "fewer connections than configured: the limit of open files is too low",
                {{"connections", std::to_string(plan.connections)},
                 {"configured", std::to_string(c.connections)},
                 {"open files", std::to_string(fds)}});
    return plan;
}

} // namespace exeat::ops
