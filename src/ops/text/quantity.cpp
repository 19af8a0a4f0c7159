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
constexpr std::size_t most_digits = 9; // times any unit: below 2^63

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

std::string to_text(std::chrono::milliseconds t)
{
    const auto ms = static_cast<std::uint64_t>(t.count());
    for (const auto& u : times)
        if (ms % u.worth == 0 && ms != 0) return std::to_string(ms / u.worth) + std::string{u.name};
    return std::to_string(ms) + "ms";
}

} // namespace exeat::ops
