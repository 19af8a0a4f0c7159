#include <ops/text/endpoint_text.hpp>

#include <exeat/target.hpp>

#include <algorithm>

namespace exeat::ops {

namespace {

std::optional<ip_address> bracketed(std::string_view text)
{
    if (text.size() < 2 || text.front() != '[' || text.back() != ']' || text.find(':') == text.npos) return std::nullopt;
    return ip_address::parse(text.substr(1, text.size() - 2));
}

std::optional<ip_address> host_part(std::string_view text)
{
    return text.starts_with('[') ? bracketed(text) : text.find(':') == text.npos ? ip_address::parse(text) : std::nullopt;
}

} // namespace

std::optional<endpoint> parse_endpoint(std::string_view text, std::optional<std::uint16_t> usual_port)
{
    if (usual_port) {
        if (const auto alone = ip_address::parse(text)) return endpoint{*alone, *usual_port};
        if (const auto alone = bracketed(text)) return endpoint{*alone, *usual_port};
    }
    const auto colon = text.rfind(':');
    if (colon == text.npos) return std::nullopt;
    const auto address = host_part(text.substr(0, colon));
    const auto port = parse_port(text.substr(colon + 1));
    if (!address || !port) return std::nullopt;
    return endpoint{*address, *port};
}

std::optional<endpoint> meant_endpoint(std::string_view text, std::uint16_t usual_port)
{
    const auto loopback = ip_address::v4(0x7f000001);
    if (const auto alone = ip_address::parse(text)) return endpoint{*alone, usual_port};
    const auto colon = text.rfind(':');
    const auto host = text.substr(0, colon);
    const auto written =
        colon == text.npos ? boost::system::result<std::uint16_t, verdict>{usual_port} : parse_port(text.substr(colon + 1));
    const auto port = written ? *written : usual_port;
    if (host.empty() || host == "localhost") return endpoint{loopback, port};
    if (const auto address = host_part(host)) return endpoint{*address, port};
    return std::nullopt;
}

} // namespace exeat::ops
