// Random entries and targets over a handful of names, so that they meet.
#pragma once

#include "small_policy.hpp"

#include <array>
#include <random>

namespace exeat::testing {

inline std::string random_host(std::mt19937& random)
{
    std::string out;
    for (std::size_t labels = 1 + random() % 3; labels-- > 0;) out += std::string{static_cast<char>('a' + random() % 2)} + ".";
    return out + "test";
}

inline entry random_entry(std::mt19937& random, std::size_t i)
{
    auto e = allow("r" + std::to_string(i), {});
    constexpr std::array<const char*, 4> fronts{"", "", "*.", "**."};
    for (std::size_t n = 1 + random() % 3; n-- > 0;) e.hosts.push_back(fronts[random() % 4] + random_host(random));
    if (random() % 5 == 0) e.value.kind = rule_kind::private_link;
    if (random() % 6 == 0) e.value.kind = rule_kind::deny;
    if (random() % 2 == 0) e.value.groups = group_set{random() % 8};
    if (random() % 3 == 0) e.value.ports = {80, 443};
    if (e.value.kind == rule_kind::deny && random() % 2 == 0) e.value.ports.clear();
    e.value.protocol = static_cast<protocol>(random() % 3);
    if (random() % 4 == 0) e.value.expires = now + std::chrono::seconds{static_cast<int>(random() % 3) - 1};
    return e;
}

inline target random_target(std::mt19937& random)
{
    const auto port = std::array{"80", "443", "22"}[random() % 3];
    return to(random_host(random) + ":" + port, static_cast<approach>(random() % 3));
}

} // namespace exeat::testing
