#include <ops/text/statement_lines.hpp>

#include <exeat/limits.hpp>
#include <ops/text/utc.hpp>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fmt/format.h>

namespace exeat::ops {

namespace {

bool is_relative_name(std::string_view s)
{
    if (s.empty() || s.size() > limits::path_octets || !is_free_text(s)) return false;
    const std::filesystem::path p{s};
    return p.is_relative() && p.has_filename() && p.filename() != "." && p.filename() != ".." && p.lexically_normal().string() == s;
}

} // namespace

std::optional<std::string_view> statement_lines::take(std::string_view word)
{
    looked_at_ = taken_ + 1;
    const auto end = left_.find('\n');
    if (end == left_.npos || !left_.substr(0, end).starts_with(word)) return std::nullopt;
    auto rest = left_.substr(word.size(), end - word.size());
    if (!rest.empty() && (rest.front() != ' ' || rest.size() == 1)) return std::nullopt;
    if (!rest.empty()) rest.remove_prefix(1);
    left_.remove_prefix(end + 1);
    ++taken_;
    return rest;
}

std::string statement_lines::wrong(std::string_view what) const { return fmt::format("line {} {}", looked_at_, what); }

bool is_hexadecimal(std::string_view s, std::size_t digits) noexcept
{
    return s.size() == digits && std::all_of(s.begin(), s.end(), [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

bool is_audience(std::string_view s) noexcept
{
    return !s.empty() && s.size() <= limits::audience_octets && s.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-_.") == s.npos;
}

bool is_free_text(std::string_view s) noexcept
{
    return std::none_of(s.begin(), s.end(), [](unsigned char c) { return c < ' ' || c == 0x7f; });
}

std::optional<std::uint64_t> read_number(std::string_view text) noexcept
{
    std::uint64_t n = 0;
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), n);
    const bool spelled = !text.empty() && (text.front() != '0' || text.size() == 1);
    return failed == std::errc{} && end == text.data() + text.size() && spelled ? std::optional{n} : std::nullopt;
}

std::optional<wall_time> read_moment(std::string_view text)
{
    const auto t = parse_utc(text);
    return t && utc(*t) == text ? t : std::nullopt;
}

std::optional<named_file> read_named_file(std::string_view text)
{
    const auto sha256 = text.substr(0, digest_digits);
    if (!is_hexadecimal(sha256, digest_digits) || text.size() < digest_digits + 2 || text[digest_digits] != ' ') return std::nullopt;
    const auto name = text.substr(digest_digits + 1);
    return is_relative_name(name) ? std::optional{named_file{std::string{sha256}, std::string{name}}} : std::nullopt;
}

} // namespace exeat::ops
