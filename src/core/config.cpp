#include <exeat/config.hpp>

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

std::string listener::name() const { return std::string{exeat::to_string(mode)} + " " + address.to_string(); }

} // namespace exeat
