#include <exeat/quarantine.hpp>

namespace exeat {

bool quarantine::holds(const ip_address& source, std::string_view of_entry, std::string_view account) const noexcept
{
    if (client) return client->contains(source);
    return service_account.empty() ? entry == of_entry : service_account == account;
}

std::string quarantine::client_text() const
{
    if (!client) return {};
    return *client == ip_prefix::around(client->network, ip_prefix{}.bits) ? client->network.to_string() : client->to_string();
}

std::string quarantine::target() const
{
    if (client) return "client " + client_text();
    return service_account.empty() ? "entry " + entry : "service account " + service_account;
}

} // namespace exeat
