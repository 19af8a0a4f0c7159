#include <ops/text/diagnostics.hpp>

#include <ops/text/json_text.hpp>

#include <algorithm>
#include <fmt/format.h>
#include <iterator>
#include <tuple>

namespace exeat::ops {

void diagnostics::error(place at, std::string text)
{
    failed_ = true;
    add(at, problem::weight::error, std::move(text));
}

void diagnostics::warning(place at, std::string text) { add(at, problem::weight::warning, std::move(text)); }

void diagnostics::add(place at, problem::weight how, std::string text)
{
    if (full()) {
        ++more_;
        return;
    }
    found_.push_back({file_, at.line, at.column, how, one_line(text)}); // escaped, so that no file content can control a terminal
}

void diagnostics::move_to(std::vector<problem>& out)
{
    std::stable_sort(found_.begin(), found_.end(),
                     [](const problem& a, const problem& b) { return std::tie(a.line, a.column) < std::tie(b.line, b.column); });
    if (more_ > 0) {
        const auto how = failed_ ? problem::weight::error : problem::weight::warning;
        found_.push_back({file_, 0, 0, how, fmt::format("{} more problems; fix these first", more_)});
    }
    std::move(found_.begin(), found_.end(), std::back_inserter(out));
    found_.clear();
    more_ = 0;
}

std::string as_shown(std::string_view text)
{
    constexpr std::size_t shown = 80;
    std::string out = "'";
    for (const char c : text.substr(0, shown)) {
        if (c >= ' ' && c <= '~') out += c;
        else out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    }
    return out + (text.size() > shown ? "…'" : "'");
}

} // namespace exeat::ops
