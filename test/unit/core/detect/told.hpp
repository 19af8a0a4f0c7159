// Traffic for the detectors' tests, told in a few words.
#pragma once

#include <exeat/detect/flow_event.hpp>

#include <algorithm>
#include <doctest/doctest.h>

namespace exeat::detect::testing {

constexpr std::uint64_t seed = 7;
constexpr moment minute{60}, hour{3'600}, day{86'400};

inline ip_address a_pod(std::uint32_t n) { return ip_address::v4(0x0a000000 + n); }

inline flow_event moved(moment at, std::uint64_t up, std::uint64_t down = 0, std::uint32_t who = 1, std::uint32_t entry = 1)
{
    flow_event e;
    e.step = flow_step::progress;
    e.at = at;
    e.client = a_pod(who);
    e.entry = {entry, entry};
    e.up = up, e.down = down;
    e.host = "a.test";
    return e;
}

inline flow_event opened(moment at, std::string_view host, std::uint32_t who = 1)
{
    auto e = moved(at, 0, 0, who);
    e.step = flow_step::open;
    e.host = host;
    return e;
}

inline flow_event denied(moment at, std::string_view host, verdict why = verdict::not_allowed, std::uint32_t who = 1)
{
    auto e = opened(at, host, who);
    e.step = flow_step::deny;
    e.verdict = why;
    return e;
}

inline std::ptrdiff_t count(const findings& all, detector which)
{
    return std::count_if(all.begin(), all.end(), [&](const finding& f) { return f.which == which; });
}

} // namespace exeat::detect::testing
