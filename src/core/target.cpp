#include <exeat/target.hpp>

#include <algorithm>
#include <charconv>
#include <optional>

namespace exeat {

namespace {

// uri-host and what follows its colon, if there is one (RFC 3986 section 3.2).
struct authority_parts {
    std::string_view host;
    std::optional<std::string_view> port;
};

authority_parts split(std::string_view text) noexcept
{
    // The colons of an IPv6 address are within brackets; anything else fails as a hostname later.
    const auto bracket = text.starts_with('[') ? text.find(']') : 0;
    const auto colon = text.find(':', bracket == text.npos ? 0 : bracket);
    if (colon == text.npos) return {text, std::nullopt};
    return {text.substr(0, colon), text.substr(colon + 1)};
}

boost::system::result<target, verdict> parse(const authority_parts& parts, approach via, std::optional<std::uint16_t> otherwise)
{
    auto host = hostname::parse(parts.host);
    if (!host) return host.error();
    if (!parts.port && !otherwise) return verdict::host_syntax;
    if (!parts.port) return target{std::move(*host), *otherwise, via};
    const auto port = parse_port(*parts.port);
    if (!port) return port.error();
    return target{std::move(*host), *port, via};
}

bool in_plain_name(char c) noexcept
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
}

} // namespace

boost::system::result<std::uint16_t, verdict> parse_port(std::string_view digits) noexcept
{
    constexpr std::size_t most_digits = 5;
    if (digits.empty() || digits.size() > most_digits || digits.find_first_not_of("0123456789") != digits.npos) return verdict::host_syntax;
    std::uint32_t n = 0;
    std::from_chars(digits.data(), digits.data() + digits.size(), n);
    if (n == 0 || n > 65535) return verdict::host_syntax;
    return static_cast<std::uint16_t>(n);
}

boost::system::result<target, verdict> parse_authority(std::string_view text, approach via)
{
    return parse(split(text), via, std::nullopt);
}

boost::system::result<target, verdict> parse_authority(std::string_view text, approach via, std::uint16_t default_port)
{
    return parse(split(text), via, default_port);
}

bool is_host_field(std::string_view text)
{
    const auto parts = split(text);
    if (parts.port && !parse_port(*parts.port)) return false;
    if (parts.host.starts_with('[')) return hostname::parse(parts.host).has_value();
    return !parts.host.empty() && std::all_of(parts.host.begin(), parts.host.end(), in_plain_name);
}

} // namespace exeat
