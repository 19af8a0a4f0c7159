#include <ops/text/quantity.hpp>

#include <array>
#include <charconv>

namespace exeat::ops {

namespace {

struct unit {
    std::string_view name;
    std::uint64_t worth;
};
constexpr std::array<unit, 5> times{{{"d", 86'400'000}, {"h", 3'600'000}, {"m", 60'000}, {"s", 1'000}, {"ms", 1}}};
constexpr std::array<unit, 4> sizes{{{"KiB", 1ull << 10}, {"MiB", 1ull << 20}, {"GiB", 1ull << 30}, {"TiB", 1ull << 40}}};
constexpr std::size_t most_digits = 9; // with any unit of time the result is below 2^63; parse_size() checks for overflow

struct counted {
    std::uint64_t count;
    std::string_view rest;
};

std::optional<counted> leading_count(std::string_view text) noexcept
{
    std::uint64_t n = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), n);
    const auto digits = static_cast<std::size_t>(end - text.data());
    if (failure != std::errc{} || digits > most_digits) return std::nullopt;
    return counted{n, text.substr(digits)};
}

template <std::size_t N> std::optional<std::uint64_t> worth(std::string_view name, const std::array<unit, N>& units) noexcept
{
    for (const auto& u : units)
        if (u.name == name) return u.worth;
    return std::nullopt;
}

} // namespace

std::optional<std::chrono::milliseconds> parse_duration(std::string_view text) noexcept
{
    const auto n = leading_count(text);
    const auto each = n ? worth(n->rest, times) : std::nullopt;
    if (!each) return std::nullopt;
    return std::chrono::milliseconds{static_cast<std::int64_t>(n->count * *each)};
}

std::optional<std::uint64_t> parse_size(std::string_view text) noexcept
{
    auto n = leading_count(text);
    if (!n) return std::nullopt;
    if (n->rest.starts_with(' ')) n->rest.remove_prefix(1);
    const auto each = worth(n->rest, sizes);
    if (!each || n->count > UINT64_MAX / *each) return std::nullopt;
    return n->count * *each;
}

std::optional<upload_budget> parse_budget(std::string_view text) noexcept
{
    const auto slash = text.find('/');
    if (slash == std::string_view::npos) return std::nullopt;
    const auto bytes = parse_size(text.substr(0, slash));
    const auto per = parse_duration(text.substr(slash + 1));
    if (!bytes || !per || per->count() == 0) return std::nullopt;
    return upload_budget{*bytes, *per};
}

namespace {

std::string_view trimmed(std::string_view s) noexcept
{
    while (s.starts_with(' ')) s.remove_prefix(1);
    while (s.ends_with(' ')) s.remove_suffix(1);
    return s;
}

char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::string_view meant_window(std::string_view text) noexcept
{
    text = trimmed(text);
    if (text.starts_with("1")) text = trimmed(text.substr(1));
    if (text.empty() || lower(text.front()) == 'h') return "1h";
    if (lower(text.front()) == 'd') return "24h";
    return lower(text.front()) == 'w' ? "7d" : "";
}

} // namespace

std::string meant_size(std::string_view text)
{
    const auto n = leading_count(trimmed(text));
    if (!n) return {};
    const auto unit = trimmed(n->rest);
    for (const auto& u : sizes)
        if (!unit.empty() && lower(unit.front()) == lower(u.name.front()) && unit.size() <= u.name.size())
            return std::to_string(n->count) + ' ' + std::string{u.name};
    return {};
}

std::string meant_budget(std::string_view text)
{
    const auto slash = text.find('/');
    const auto size = meant_size(text.substr(0, slash));
    const auto window = meant_window(slash == text.npos ? "1h" : text.substr(slash + 1));
    return size.empty() || window.empty() ? std::string{} : size + '/' + std::string{window};
}

std::string to_text(std::chrono::milliseconds t)
{
    const auto ms = static_cast<std::uint64_t>(t.count());
    for (const auto& u : times)
        if (ms % u.worth == 0 && ms != 0) return std::to_string(ms / u.worth) + std::string{u.name};
    return std::to_string(ms) + "ms";
}

std::string exact_size(std::uint64_t bytes)
{
    for (auto u = sizes.rbegin(); u != sizes.rend(); ++u)
        if (bytes % u->worth == 0 && bytes != 0) return std::to_string(bytes / u->worth) + ' ' + std::string{u->name};
    return bytes == 0 ? "0 KiB" : std::to_string(bytes) + " bytes";
}

} // namespace exeat::ops
