#include <ops/files/end_mark.hpp>

#include <algorithm>

namespace exeat::ops {

namespace {

constexpr std::string_view blanks = " \t\r";

std::string_view trimmed(std::string_view s) noexcept
{
    s.remove_prefix(std::min(s.find_first_not_of(blanks), s.size()));
    s.remove_suffix(s.size() - (s.find_last_not_of(blanks) + 1));
    return s;
}

std::string_view without_comment(std::string_view line) noexcept { return trimmed(line.substr(0, line.find('#'))); }

// The value in "key = value"; empty for any other line.
std::string_view value_of(std::string_view line, std::string_view key) noexcept
{
    const auto equals = line.find('=');
    if (equals == line.npos || trimmed(line.substr(0, equals)) != key) return {};
    return trimmed(line.substr(equals + 1));
}

} // namespace

marked_text without_end_mark(std::string_view list) noexcept
{
    for (auto rest = list; !rest.empty();) {
        if (rest.back() == '\n') rest.remove_suffix(1);
        const auto begin = rest.rfind('\n') + 1; // npos + 1 is 0
        const auto line = without_comment(rest.substr(begin));
        rest = rest.substr(0, begin);
        if (line.empty()) continue;
        const auto value = value_of(line, "end");
        if (value == "true") return {rest, true, 0};
        if (value.empty()) break;
        return {list, false, static_cast<std::uint32_t>(std::count(rest.begin(), rest.end(), '\n') + 1)};
    }
    return {list, false, 0};
}

bool is_hosts_end(std::string_view line) noexcept
{
    line = trimmed(line);
    return line.starts_with('#') && trimmed(line.substr(1)) == "end";
}

} // namespace exeat::ops
