#include <exeat/client.hpp>

namespace exeat {

client known_as(const ip_address& source, std::uint16_t port, std::uint8_t v6_bits) noexcept
{
    return {source, port, {}, source.is_v4() ? source : ip_prefix::around(source, v6_bits).network};
}

std::string key_text(const ip_address& key, std::uint8_t v6_bits)
{
    return key.is_v4() || v6_bits >= whole_address ? key.to_string() : ip_prefix{key, v6_bits}.to_string();
}

} // namespace exeat
