#include <ops/text/meant_value.hpp>

#include <algorithm>
#include <array>
#include <fmt/format.h>

namespace exeat::ops {

std::string_view kind_of(const toml::node& n) noexcept
{
    switch (n.type()) {
    case toml::node_type::table: return "a table";
    case toml::node_type::array: return "a list";
    case toml::node_type::string: return "text";
    case toml::node_type::integer: return "a whole number";
    case toml::node_type::floating_point: return "a number with a fraction";
    case toml::node_type::boolean: return "true or false";
    case toml::node_type::date: return "a date without a time";
    case toml::node_type::time: return "a time of day";
    case toml::node_type::date_time: return "a date and time";
    case toml::node_type::none: break;
    }
    return "nothing";
}

namespace {

bool all_digits(std::string_view s) noexcept { return !s.empty() && s.size() <= 9 && s.find_first_not_of("0123456789") == s.npos; }

bool can_be_quoted(std::string_view s) noexcept
{
    return std::all_of(s.begin(), s.end(), [](char c) { return c >= ' ' && c <= '~' && c != '"' && c != '\\'; });
}

} // namespace

std::string as_wanted(const toml::node& n, std::string_view wanted)
{
    const auto* text = n.as_string();
    const auto* number = n.as_integer();
    const bool plain = text != nullptr && can_be_quoted(text->get()) && !text->get().empty();
    if (wanted == "a list of text" && plain) return fmt::format("[\"{}\"]", text->get());
    if (wanted == "a list of port numbers" && number != nullptr) return fmt::format("[{}]", number->get());
    if (wanted == "a list of port numbers" && plain && all_digits(text->get())) return fmt::format("[{}]", text->get());
    if (wanted == "a whole number" && plain && all_digits(text->get())) return text->get();
    if (wanted == "true or false" && plain && (text->get() == "true" || text->get() == "false")) return text->get();
    const auto* day = n.as_date();
    if (wanted != "a date and time" || day == nullptr) return {};
    const auto& d = day->get();
    return fmt::format("{:04}-{:02}-{:02}T00:00:00Z", int{d.year}, int{d.month}, int{d.day});
}

std::string objection_to_port(const toml::node& n)
{
    const auto* text = n.as_string();
    if (text != nullptr && all_digits(text->get()))
        return fmt::format("this is text, not a port number; write {} without quotes", text->get());
    if (const auto* number = n.as_integer()) return fmt::format("{} is not a port; use a whole number from 1 to 65535", number->get());
    return fmt::format("this is {}, not a port number; use whole numbers from 1 to 65535", kind_of(n));
}

std::string_view known_elsewhere(std::string_view key) noexcept
{
    constexpr std::array<std::string_view, 6> includes{"include", "includes", "import", "imports", "extends", "files"};
    if (std::find(includes.begin(), includes.end(), key) == includes.end()) return {};
    return "; no file includes another one: the .toml files in allowlist.d, beside allowlist.toml, are read with it";
}

} // namespace exeat::ops
