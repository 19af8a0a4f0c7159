#include <ops/text/json_text.hpp>
#include <ops/text/problem.hpp>

#include <algorithm>
#include <fmt/format.h>

namespace exeat::ops {

std::string problem::to_string() const
{
    const auto word = how == weight::error ? "error" : "warning";
    if (line == 0) return fmt::format("{}: {}: {}", one_line(file), word, one_line(text));
    return fmt::format("{}:{}:{}: {}: {}", one_line(file), line, std::max<std::uint32_t>(column, 1), word, one_line(text));
}

bool any_error(const std::vector<problem>& all) noexcept
{
    return std::any_of(all.begin(), all.end(), [](const problem& p) { return p.how == problem::weight::error; });
}

} // namespace exeat::ops
