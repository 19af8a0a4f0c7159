#include <exeat/quarantine.hpp>

namespace exeat {

bool quarantine::holds(const ip_address& source, std::string_view of_entry) const noexcept
{
    return client ? client->contains(source) : entry == of_entry;
}

std::string quarantine::client_text() const
{
    if (!client) return {};
    return *client == ip_prefix::around(client->network, ip_prefix{}.bits) ? client->network.to_string() : client->to_string();
}

std::string quarantine::target() const { return client ? "client " + client_text() : "entry " + entry; }

} // namespace exeat
