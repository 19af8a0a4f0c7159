#include <ops/policy/asked_target.hpp>

#include <array>
#include <string>
#include <utility>

namespace exeat::ops {

boost::system::result<target, verdict> parse_asked_target(std::string_view text)
{
    constexpr std::string_view http = "http://";
    if (!text.starts_with(http)) {
        if (text.find("://") != text.npos) return verdict::scheme;
        return parse_authority(text, approach::tunnel);
    }
    text.remove_prefix(http.size());
    const std::string_view authority = text.substr(0, text.find_first_of("/?#"));
    const auto bracket = authority.rfind(']'); // colons in brackets belong to the address
    const bool has_port = authority.find(':', bracket == authority.npos ? 0 : bracket) != authority.npos;
    return parse_authority(has_port ? std::string{authority} : std::string{authority} + ":80", approach::http);
}

namespace {

// The default port of a scheme; 0: none, or unknown.
std::uint16_t usual_port(std::string_view scheme) noexcept
{
    constexpr std::array<std::pair<std::string_view, std::uint16_t>, 8> ports{
        {{"https", 443}, {"wss", 443}, {"ws", 80}, {"ssh", 22}, {"git+ssh", 22}, {"git", 9418}, {"ftp", 21}, {"s3", 443}}};
    for (const auto& [name, port] : ports)
        if (name == scheme) return port;
    return 0;
}

// Removes spaces, and quotes, brackets and punctuation around a URL.
std::string_view unwrapped(std::string_view text) noexcept
{
    constexpr std::string_view around = " \t\r\n\"'`<>(),;";
    const auto begin = text.find_first_not_of(around);
    return begin == text.npos ? std::string_view{} : text.substr(begin, text.find_last_not_of(around) - begin + 1);
}

// Whether a port follows the host: "git@host:path" has a path there.
bool has_port(std::string_view authority) noexcept
{
    const auto bracket = authority.rfind(']');
    const auto colon = authority.find(':', bracket == authority.npos ? 0 : bracket);
    return colon != authority.npos && colon + 1 < authority.size() &&
           authority.find_first_not_of("0123456789", colon + 1) == authority.npos;
}

} // namespace

std::string as_target(std::string_view pasted)
{
    auto text = unwrapped(pasted);
    const bool clear = text.starts_with("http://");
    std::uint16_t port = clear ? 80 : 443;
    if (const auto scheme = text.find("://"); scheme != text.npos) {
        port = clear ? port : usual_port(text.substr(0, scheme));
        if (port == 0) return std::string{pasted};
        text.remove_prefix(scheme + 3);
    }
    auto authority = text.substr(0, text.find_first_of("/?#"));
    if (const auto user = authority.rfind('@'); user != authority.npos) {
        authority.remove_prefix(user + 1);
        if (!has_port(authority) && authority.find(':') != authority.npos) port = 22; // git@host:path
        if (!has_port(authority)) authority = authority.substr(0, authority.find(':'));
    }
    if (authority.ends_with(':')) authority.remove_suffix(1);
    const bool bare_v6 = ip_address::parse(authority) && authority.find(':') != authority.npos;
    const std::string host = bare_v6 ? "[" + std::string{authority} + "]" : std::string{authority};
    auto out = bare_v6 || !has_port(host) ? host + ":" + std::to_string(port) : host;
    if (clear) out = "http://" + out;
    if (clear && parse_asked_target(out) == parse_asked_target(pasted)) return std::string{pasted};
    return parse_asked_target(out) ? out : std::string{pasted}; // not a target: messages then show it as it was written
}

} // namespace exeat::ops
