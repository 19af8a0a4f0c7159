#include <ops/text/utc.hpp>

#include <charconv>
#include <ctime>
#include <fmt/chrono.h>

namespace exeat::ops {

std::optional<wall_time> parse_utc(std::string_view text) noexcept
{
    constexpr std::string_view form = "0000-00-00T00:00:00";
    if (text.size() < form.size() + 1 || text.back() != 'Z') return std::nullopt;
    for (std::size_t i = 0; i < form.size(); ++i)
        if (form[i] == '0' ? text[i] < '0' || text[i] > '9' : text[i] != form[i]) return std::nullopt;
    const auto at = [text](std::size_t from, std::size_t digits) {
        int n = 0;
        std::from_chars(text.data() + from, text.data() + from + digits, n);
        return n;
    };
    using namespace std::chrono;
    const year_month_day day{year{at(0, 4)}, month{static_cast<unsigned>(at(5, 2))}, std::chrono::day{static_cast<unsigned>(at(8, 2))}};
    if (!day.ok() || at(11, 2) > 23 || at(14, 2) > 59 || at(17, 2) > 60) return std::nullopt;
    return sys_days{day} + hours{at(11, 2)} + minutes{at(14, 2)} + seconds{at(17, 2)};
}

std::string utc(wall_time t)
{
    return t == never ? "never" : fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(static_cast<std::time_t>(t.time_since_epoch().count())));
}

} // namespace exeat::ops
