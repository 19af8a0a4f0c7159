#include <cli/live/admin_site.hpp>

#include <exeat/request_head.hpp> // equals_ignoring_case
#include <exeat/target.hpp>
#include <ops/text/diagnostics.hpp>
#include <ops/text/endpoint_text.hpp>

#include <fmt/format.h>

namespace exeat::cli::live {

namespace {

constexpr std::uint16_t usual_port = 9464;

std::vector<endpoint> loopback(std::uint16_t port) { return {{*ip_address::parse("127.0.0.1"), port}, {*ip_address::parse("::1"), port}}; }

// Parses "10.0.0.7:9464", "[::1]", "localhost:9464"; without a port, exeat's usual one is used.
std::vector<endpoint> addresses_of(std::string_view host)
{
    const auto colon = host.find(':');
    if (equals_ignoring_case(host.substr(0, colon), "localhost")) {
        const auto port = colon == host.npos ? usual_port : parse_port(host.substr(colon + 1));
        return port ? loopback(*port) : std::vector<endpoint>{};
    }
    if (colon != host.npos && !host.starts_with('[') && host.find(':', colon + 1) != host.npos) return {}; // a URL requires brackets
    const auto one = ops::parse_endpoint(host, usual_port);
    return one ? std::vector{*one} : std::vector<endpoint>{};
}

} // namespace

boost::system::result<admin_site, std::string> parse_admin_url(std::string_view text)
{
    constexpr std::string_view scheme = "http://";
    auto host = text.substr(std::min(scheme.size(), text.size()));
    if (host.ends_with('/')) host.remove_suffix(1);
    admin_site out;
    if (equals_ignoring_case(text.substr(0, scheme.size()), scheme)) out.addresses = addresses_of(host);
    if (out.addresses.empty())
        return {
            boost::system::in_place_error,
            fmt::format("{} is not an address of an admin page; write http:// with an IP address or localhost, like http://127.0.0.1:9464",
                        ops::as_shown(text))};
    const auto& first = out.addresses.front();
    out.host = out.addresses.size() > 1 ? fmt::format("localhost:{}", first.port) : first.to_string();
    out.url = std::string{scheme} + out.host;
    return out;
}

} // namespace exeat::cli::live
