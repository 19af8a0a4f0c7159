#include <net/dns/dns_tries.hpp>

#include <exeat/limits.hpp>

#include <algorithm>

namespace exeat::net {

namespace {

std::chrono::milliseconds first_try(std::chrono::milliseconds whole, int rounds, int servers) noexcept
{
    const auto parts = servers * ((1 << rounds) - 1);
    return (whole - servers * rounds * limits::sweep_interval) / parts;
}

} // namespace

dns_tries plan_tries(std::chrono::milliseconds whole, std::size_t servers) noexcept
{
    using namespace std::chrono_literals;
    const auto n = static_cast<int>(servers);
    if (const auto twice = first_try(whole, 2, n); twice >= limits::sweep_interval) return {2, twice};
    return {1, std::max(first_try(whole, 1, n), 1ms)};
}

} // namespace exeat::net
