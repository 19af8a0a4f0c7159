// Small policies, clients and targets for the tests of decisions.
#pragma once

#include <doctest/doctest.h>
#include <exeat/policy.hpp>
#include <exeat/policy_builder.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace exeat::testing {
inline namespace policies {

using namespace std::chrono_literals;

inline constexpr wall_time now = wall_time{1'800'000'000s};

struct entry {
    rule value;
    std::vector<std::string> hosts;
};

inline entry allow(std::string name, std::vector<std::string> hosts)
{
    entry e;
    e.value.name = std::move(name);
    e.value.ports = {443};
    e.hosts = std::move(hosts);
    return e;
}

inline entry linked(std::string name, std::vector<std::string> hosts)
{
    auto e = allow(std::move(name), std::move(hosts));
    e.value.kind = rule_kind::private_link;
    return e;
}

inline entry deny(std::string name, std::vector<std::string> hosts)
{
    auto e = allow(std::move(name), std::move(hosts));
    e.value.kind = rule_kind::deny;
    e.value.ports.clear();
    return e;
}

inline const std::vector<group> three_groups{{"training", {}, 0, 0}, {"eval", {}, 0, 0}, {"web", {}, 0, 0}};

inline policy compiled(const std::vector<entry>& entries, policy_settings settings = {}, const std::vector<group>& groups = three_groups)
{
    policy_builder b{11};
    for (const auto& g : groups) b.add_group(g);
    for (const auto& e : entries) {
        const auto r = b.add_rule(e.value);
        for (const auto& h : e.hosts) {
            if (const auto network = ip_prefix::parse(h); network && h.find('/') != h.npos) {
                b.add_network(r, *network);
                continue;
            }
            const auto p = host_pattern::parse(h);
            REQUIRE_MESSAGE(p.has_value(), h);
            b.add_host(r, *p);
        }
    }
    return std::move(b).finish(std::move(settings));
}

inline client from(std::initializer_list<std::size_t> groups)
{
    client c;
    for (const auto g : groups) c.groups.set(g);
    return c;
}

inline const client training = from({0});

inline target to(std::string_view authority, approach via = approach::tunnel)
{
    const auto t = parse_authority(authority, via);
    REQUIRE_MESSAGE(t.has_value(), authority);
    return *t;
}

} // namespace policies
} // namespace exeat::testing
