// decide NAMES…: what one decision costs under lists of so many names, what the list takes and how long it is built. One line of JSON each.
// The names that are asked for are spread over the whole list, every fourth one is on no list: a look-up meets a cold place as in life.
#include <exeat/policy.hpp>
#include <exeat/policy_builder.hpp>

#include "loop.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fmt/format.h>
#include <random>
#include <vector>

namespace exeat::bench {

namespace {

constexpr std::size_t asked = 65'536, at_a_time = 64, rounds = 9;
constexpr auto now = wall_time{std::chrono::seconds{1'800'000'000}};

double seconds_since(std::chrono::steady_clock::time_point t)
{
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - t).count();
}

std::string name_of(std::size_t n) { return fmt::format("host-{:07}.service{}.example.com", n, n % 97); }

policy list_of(std::size_t names)
{
    policy_builder building{0x5eed};
    group clients;
    clients.name = "pods";
    clients.sources = {*ip_prefix::parse("10.42.0.0/16")};
    building.add_group(std::move(clients));
    rule allowed;
    allowed.name = "names";
    allowed.ports = {443};
    const auto index = building.add_rule(std::move(allowed));
    for (std::size_t i = 0; i < names; ++i) building.add_host(index, *host_pattern::parse(name_of(i)));
    policy_settings settings;
    return std::move(building).finish(std::move(settings));
}

std::vector<target> targets(std::size_t names)
{
    std::mt19937_64 random{42};
    std::vector<target> out;
    for (std::size_t i = 0; i < asked; ++i) {
        const auto n = random() % names + (i % 4 == 3 ? 10'000'000 : 0);
        out.push_back({*hostname::parse(name_of(n)), 443, approach::tunnel});
    }
    return out;
}

std::size_t letters(std::span<const target> to)
{
    std::size_t sum = 0;
    for (const auto& each : to)
        for (const char c : each.host.str()) sum += static_cast<unsigned char>(c);
    return sum;
}

// A target was read from the wire just before it is judged, so it is in the cache; the list is not. Of several rounds the quickest: what
// disturbs a round only ever adds to it.
double nanoseconds_per_decision(const client& who, std::span<const target> to, const policy& rules)
{
    double best = 1e9;
    for (std::size_t round = 0; round < rounds; ++round) {
        std::size_t allowed = 0;
        volatile std::size_t read = 0;
        double seconds = 0;
        for (std::size_t i = 0; i < to.size(); i += at_a_time) {
            const auto some = to.subspan(i, at_a_time);
            read = read + letters(some);
            const auto began = std::chrono::steady_clock::now();
            for (const auto& each : some) allowed += decide(who, each, rules, now).allowed();
            seconds += seconds_since(began);
        }
        if (allowed != to.size() / 4 * 3) fail("three of four should be allowed");
        best = std::min(best, 1e9 * seconds / static_cast<double>(to.size()));
    }
    return best;
}

void report(std::size_t names)
{
    const auto began = std::chrono::steady_clock::now();
    const auto rules = list_of(names);
    const double built = seconds_since(began);
    client who;
    who.source = *ip_address::parse("10.42.3.7");
    who.groups = rules.groups_of(who.source);
    const double ns = nanoseconds_per_decision(who, targets(names), rules);
    fmt::print("{{\"names\": {}, \"ns\": {:.1f}, \"built_seconds\": {:.6f}, \"bytes\": {}}}\n", names, ns, built, rules.bytes());
}

} // namespace

} // namespace exeat::bench

int main(int argc, char** argv)
{
    for (int i = 1; i < argc; ++i) exeat::bench::report(std::strtoul(argv[i], nullptr, 10));
}
