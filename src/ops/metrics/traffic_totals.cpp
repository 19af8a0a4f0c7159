#include <ops/metrics/traffic_totals.hpp>

#include <ops/metrics/metric_families.hpp> // sum

#include <algorithm>

namespace exeat::ops {

using net::counter;
using net::counters;

std::vector<entry_total> entry_totals(const metric_sources& from)
{
    std::vector<entry_total> out;
    for (const auto& label : from.labels.rules()) {
        const auto slot = out.size();
        if (slot == limits::rule_slots) break;
        out.push_back({label.name, label.purpose, sum(from, [=](const counters& c) -> const counter& { return c.rules[slot].upload; }),
                       sum(from, [=](const counters& c) -> const counter& { return c.rules[slot].download; })});
    }
    return out;
}

std::vector<reason_total> reason_totals(const metric_sources& from)
{
    const auto groups = std::min(from.labels.groups().size(), limits::group_slots);
    std::vector<reason_total> out;
    for (std::size_t v = 1; v < verdicts; ++v) { // 0 is allowed
        out.push_back({static_cast<verdict>(v), 0});
        for (std::size_t g = 0; g < groups; ++g)
            out.back().denied += sum(from, [=](const counters& c) -> const counter& { return c.denied[v][g]; });
    }
    return out;
}

} // namespace exeat::ops
