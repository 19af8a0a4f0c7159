#include <exeat/policy.hpp>

#include <exeat/address_class.hpp>

#include <algorithm>

namespace exeat {

namespace {

bool is_self(const ip_address& a, bool loopback, std::uint16_t port, const own_endpoints& own)
{
    const bool mine = std::binary_search(own.addresses.begin(), own.addresses.end(), a);
    if (mine && !loopback) return true;
    return loopback && std::binary_search(own.ports.begin(), own.ports.end(), port);
}

verdict outside(address_class of) noexcept
{
    return of == address_class::global ? verdict::private_link_public : verdict::private_link_cidr;
}

bool within_any(const std::vector<ip_prefix>& networks, const ip_address& a) noexcept
{
    return std::any_of(networks.begin(), networks.end(), [&](const ip_prefix& n) { return n.contains(a); });
}

verdict judge_link(const rule& link, const ip_address& a, address_class of) noexcept
{
    const bool pinned = !link.addresses.empty();
    switch (of) {
    case address_class::loopback:
        if (!pinned) return verdict::addr_class;
        break;
    case address_class::global:
    case address_class::private_use: break;
    default: return verdict::addr_class;
    }
    if (pinned) return std::find(link.addresses.begin(), link.addresses.end(), a) == link.addresses.end() ? outside(of) : verdict::allowed;
    return within_any(link.within, a) ? verdict::allowed : outside(of);
}

verdict judge(const rule& by, const ip_address& a, address_class of) noexcept
{
    switch (by.kind) {
    case rule_kind::allow: return of == address_class::global ? verdict::allowed : verdict::addr_class;
    case rule_kind::private_link: return judge_link(by, a, of);
    case rule_kind::deny: break; // approves nothing
    }
    return verdict::addr_class;
}

} // namespace

boost::system::result<checked_address, verdict> check_address(const approval& leave, const ip_address& a, const own_endpoints& own)
{
    const auto of = classify(a);
    if (is_self(a, of == address_class::loopback, leave.to().port, own)) return verdict::self_connect;
    if (const auto said = judge(leave.by(), a, of); said != verdict::allowed) return said;
    return checked_address{a};
}

} // namespace exeat
