#include <exeat/detect/distinct.hpp>

#include <algorithm>
#include <bit>
#include <cmath>

namespace exeat::detect {

bool distinct::add(std::uint64_t hash) noexcept
{
    auto& r = registers_[hash & 0xff];
    const auto rank = static_cast<std::uint8_t>(std::countl_zero(hash | 0xff) + 1); // of the other 56 bits
    if (rank <= r) return false;
    r = rank;
    return true;
}

double distinct::estimate() const noexcept
{
    constexpr double m = 256, alpha = 0.7213 / (1 + 1.079 / m);
    double sum = 0;
    for (const auto r : registers_) sum += std::ldexp(1.0, -r);
    const auto raw = alpha * m * m / sum;
    const auto empty = std::count(registers_.begin(), registers_.end(), 0);
    return raw <= 2.5 * m && empty > 0 ? m * std::log(m / static_cast<double>(empty)) : raw;
}

} // namespace exeat::detect
