#include <cli/live/numbers.hpp>

#include <ops/text/volume_text.hpp>

#include <algorithm>
#include <cmath>
#include <fmt/format.h>

namespace exeat::cli::live {

namespace {

constexpr double exact = 9'007'199'254'740'992.0; // 2^53: up to here a double represents every whole number

} // namespace

rate per_second(std::uint64_t now, std::optional<std::uint64_t> before, std::chrono::duration<double> between) noexcept
{
    if (!before || *before > now || between.count() <= 0) return std::nullopt;
    return static_cast<double>(now - *before) / between.count();
}

std::string count_text(std::uint64_t n)
{
    const auto digits = std::to_string(n);
    std::string out;
    for (std::size_t i = 0; i < digits.size(); ++i) {
        if (i > 0 && (digits.size() - i) % 3 == 0) out += ',';
        out += digits[i];
    }
    return out;
}

std::string number_text(double n)
{
    const bool whole = n >= 0 && n < exact && n == std::floor(n);
    if (whole || (n >= 1'000 && n < exact)) return count_text(static_cast<std::uint64_t>(n));
    return n > -1'000 && n < 1'000 ? fmt::format("{:.1f}", n) : fmt::format("{:.3g}", n);
}

std::string volume_rate_text(rate r) { return r ? ops::volume_text(static_cast<std::uint64_t>(std::min(*r, exact))) : "-"; }

std::string count_rate_text(rate r)
{
    if (!r) return "-";
    return *r < 10 ? fmt::format("{:.1f}", *r) : count_text(static_cast<std::uint64_t>(std::min(*r, exact)));
}

std::string span_text(std::chrono::seconds s)
{
    const auto n = std::max<std::int64_t>(s.count(), 0);
    if (n < 60) return fmt::format("{}s", n);
    if (n < 3'600) return fmt::format("{}m {}s", n / 60, n % 60);
    if (n < 86'400) return fmt::format("{}h {}m", n / 3'600, n / 60 % 60);
    return fmt::format("{}d {}h", n / 86'400, n / 3'600 % 24);
}

} // namespace exeat::cli::live
