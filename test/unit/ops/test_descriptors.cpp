// How the limit of open files is divided.
#include <exeat/limits.hpp>
#include <ops/process/descriptors.hpp>

#include <doctest/doctest.h>

using namespace exeat;
using namespace exeat::ops;

namespace {

config with(std::size_t workers, std::size_t listeners, std::size_t connections)
{
    config c;
    c.workers = workers;
    c.listeners.resize(listeners);
    c.connections = connections;
    return c;
}

} // namespace

TEST_CASE("descriptors are divided so that nobody takes what admission, admin and audit need")
{
    for (const std::size_t workers : {1, 2, 16, 64})
        for (const std::size_t fds : {256, 512, 1'024, 20'000, 1'000'000})
            for (const std::size_t listeners : {1, 8}) {
                CAPTURE(workers);
                CAPTURE(fds);
                const auto c = with(workers, listeners, limits::connections);
                const auto plan = divide_descriptors(c, fds);
                const auto tunnels = plan.connections * limits::fds_per_tunnel + plan.spare_per_worker * workers;
                const auto reserve = limits::reserved_fds + workers * (limits::fds_per_worker + limits::dns_sockets + listeners);
                CHECK(tunnels + std::min(reserve, fds / 2) <= fds);
                CHECK(plan.connections > 0);
                CHECK(plan.spare_per_worker <= limits::spare_descriptors);
                CHECK(plan.spare_per_worker * workers <= fds / limits::spare_part);
            }
}

TEST_CASE("where there are descriptors enough, connections are what the file says and the share of pipes is whole")
{
    CHECK(divide_descriptors(with(2, 3, 50'000), 1'000'000) == descriptor_plan{50'000, limits::spare_descriptors});
}
