#include <exeat/config.hpp>

#include <exeat/client.hpp>

#include <algorithm>

namespace exeat {

std::string endpoint::to_string() const
{
    const auto host = address.to_string();
    return (address.is_v4() ? host : "[" + host + "]") + ":" + std::to_string(port);
}

std::string_view to_string(listen_mode m) noexcept
{
    switch (m) {
    case listen_mode::proxy: return "proxy";
    case listen_mode::transparent: return "transparent";
    case listen_mode::sni: return "sni";
    }
    return "?";
}

bool kubernetes_settings::covers(const ip_address& a) const noexcept
{
    return std::any_of(networks.begin(), networks.end(), [&](const ip_prefix& n) { return n.contains(a); });
}

std::uint8_t config::bits_of(const ip_address& source) const noexcept
{
    return kubernetes.covers(source) ? whole_address : network.client_prefix;
}

ip_address config::key_of(const ip_address& source) const noexcept { return address_key(source, bits_of(source)); }

std::string listener::name() const { return std::string{exeat::to_string(mode)} + " " + address.to_string(); }

} // namespace exeat
