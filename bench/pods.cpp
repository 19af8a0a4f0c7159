// pods NUMBER…: what it costs to find the pod of an address among so many, to change one of them, and to find the groups of a pod. One line
// of JSON each.
#include <exeat/identity/pod_index.hpp>
#include <exeat/policy_builder.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fmt/format.h>
#include <random>
#include <vector>

namespace exeat::bench {

namespace {

constexpr std::size_t asked = 65'536, rounds = 9, changes = 1'000;

using clock = std::chrono::steady_clock;

double nanoseconds(clock::duration d, std::size_t each)
{
    return std::chrono::duration<double, std::nano>(d).count() / static_cast<double>(each);
}

double median(std::vector<double> of)
{
    std::nth_element(of.begin(), of.begin() + static_cast<std::ptrdiff_t>(of.size() / 2), of.end());
    return of[of.size() / 2];
}

ip_address address_of(std::size_t n) { return ip_address::v4(static_cast<std::uint32_t>(0x0a000000 + n)); }

std::shared_ptr<const pod> pod_of(std::size_t n)
{
    auto p = *pod_of_account(fmt::format("team-{}/runner-{}", n % 50, n % 7));
    p.uid = std::to_string(n);
    return std::make_shared<const pod>(std::move(p));
}

policy groups()
{
    policy_builder b;
    for (int i = 0; i < 50; ++i) {
        group g;
        g.name = fmt::format("team-{}", i);
        g.workloads.service_accounts = {fmt::format("team-{}/runner-1", i), fmt::format("team-{}/runner-2", i)};
        b.add_group(std::move(g));
    }
    return std::move(b).finish({});
}

void report(std::size_t pods)
{
    std::vector<pod_index::change> all;
    for (std::size_t n = 0; n < pods; ++n) all.push_back({address_of(n), pod_of(n)});
    auto index = pod_index{0x5eed}.with(all);
    std::mt19937_64 random{42};
    std::vector<ip_address> asking;
    for (std::size_t i = 0; i < asked; ++i) asking.push_back(address_of(random() % pods));
    const auto rules = groups();
    std::vector<double> find, group, change;
    std::size_t found = 0;
    for (std::size_t r = 0; r < rounds; ++r) {
        auto began = clock::now();
        for (const auto& a : asking) found += index.find(a) != nullptr;
        find.push_back(nanoseconds(clock::now() - began, asked));
        began = clock::now();
        for (std::size_t i = 0; i < asked; ++i) found += rules.groups_of(asking[i], all[i % pods].pod.get()).any();
        group.push_back(nanoseconds(clock::now() - began, asked));
        began = clock::now();
        for (std::size_t i = 0; i < changes; ++i) index = index.with({&all[random() % pods], 1});
        change.push_back(nanoseconds(clock::now() - began, changes));
    }
    fmt::print("{{\"pods\":{},\"find_ns\":{:.1f},\"groups_ns\":{:.1f},\"change_us\":{:.1f},\"found\":{}}}\n", pods, median(find),
               median(group), median(change) / 1'000, found);
}

} // namespace

} // namespace exeat::bench

int main(int argc, char** argv)
{
    for (int i = 1; i < argc; ++i) exeat::bench::report(std::strtoul(argv[i], nullptr, 10));
}
