#include <exeat/client.hpp>

#include <utility>

namespace exeat {

ip_address address_key(const ip_address& source, std::uint8_t v6_bits) noexcept
{
    return source.is_v4() ? source : ip_prefix::around(source, v6_bits).network;
}

client known_as(const ip_address& source, std::uint16_t port, std::uint8_t v6_bits) noexcept
{
    return {.source = source, .port = port, .groups = {}, .key = address_key(source, v6_bits)};
}

void client::belongs_to(std::shared_ptr<const exeat::pod> p) noexcept
{
    key = p->instance;
    pod = std::move(p);
}

std::string key_text(const ip_address& key, std::uint8_t v6_bits)
{
    const auto prefix = ip_prefix::around(key, v6_bits);
    return key.is_v4() || v6_bits >= whole_address || prefix.network != key ? key.to_string() : prefix.to_string();
}

} // namespace exeat
