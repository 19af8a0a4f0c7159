// Numbers of a judgement: their intervals, and how they are told. Pure.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <fmt/core.h>
#include <string>
#include <utility>
#include <vector>

namespace exeat::bench {

struct rate {
    std::uint64_t events = 0, days = 0;
    double each() const { return static_cast<double>(events) / static_cast<double>(days); }
    // 95 % interval of a Poisson mean (Byar's approximation; the rule of three for none).
    std::pair<double, double> interval() const
    {
        const auto n = static_cast<double>(events), of = static_cast<double>(days);
        if (events == 0) return {0, 3 / of};
        const auto bound = [](double x, double z) { return x * std::pow(1 - 1 / (9 * x) + z / (3 * std::sqrt(x)), 3); };
        return {bound(n, -1.96) / of, bound(n + 1, 1.96) / of};
    }
};

inline double median(std::vector<double> of)
{
    if (of.empty()) return NAN;
    std::sort(of.begin(), of.end());
    return of[of.size() / 2];
}

// Wilson's 95 % interval of k of n.
inline std::pair<double, double> wilson(double k, double n)
{
    constexpr double z = 1.96;
    const auto p = k / n, middle = p + z * z / (2 * n), width = z * std::sqrt(p * (1 - p) / n + z * z / (4 * n * n)), by = 1 + z * z / n;
    return {std::max(0.0, (middle - width) / by), std::min(1.0, (middle + width) / by)};
}

inline std::string amount(double octets)
{
    if (std::isnan(octets)) return "–";
    return octets < 1e6   ? fmt::format("{:.0f} kB", octets / 1e3)
           : octets < 1e9 ? fmt::format("{:.1f} MB", octets / 1e6)
                          : fmt::format("{:.1f} GB", octets / 1e9);
}

inline std::string time(double seconds)
{
    if (std::isnan(seconds)) return "–";
    return seconds < 3'600     ? fmt::format("{:.0f} min", seconds / 60)
           : seconds < 172'800 ? fmt::format("{:.1f} h", seconds / 3'600)
                               : fmt::format("{:.1f} d", seconds / 86'400);
}

} // namespace exeat::bench
