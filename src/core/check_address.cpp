#include <exeat/policy.hpp>

#include <exeat/address_class.hpp>
#include <exeat/check_address.hpp>

#include <algorithm>

namespace exeat {

namespace {

bool is_self(const ip_address& a, const site_address& seen, std::uint16_t port, const own_endpoints& own)
{
    const auto mine = [&own](const ip_address& i) { return std::binary_search(own.addresses.begin(), own.addresses.end(), i); };
    if (seen.of == address_class::loopback) return std::binary_search(own.ports.begin(), own.ports.end(), port);
    return mine(a) || (seen.stands_for != a && mine(seen.stands_for));
}

verdict outside(address_class of) noexcept
{
    return of == address_class::global ? verdict::private_link_public : verdict::private_link_cidr;
}

// Whether the network names the address. An IPv6 network names a translated address only if it lies in the NAT64 prefix itself: a wider one
// means the site's IPv6 hosts.
bool names(const ip_prefix& network, const ip_address& a, const site_address& seen, const site_networks& site) noexcept
{
    if (seen.stands_for == a) return network.contains(a);
    return network.contains(seen.stands_for) || (network.bits >= site.nat64->bits && network.contains(a));
}

bool within_any(const std::vector<ip_prefix>& networks, const ip_address& a, const site_address& seen, const site_networks& site) noexcept
{
    return std::any_of(networks.begin(), networks.end(), [&](const ip_prefix& n) { return names(n, a, seen, site); });
}

verdict judge_link(const rule& link, const ip_address& a, const site_address& seen, const site_networks& site) noexcept
{
    const auto of = seen.of;
    const bool pinned = !link.addresses.empty();
    switch (of) {
    case address_class::loopback:
        if (!pinned) return verdict::addr_class;
        break;
    case address_class::global:
    case address_class::private_use: break;
    default: return verdict::addr_class;
    }
    const auto pin = [&](const ip_address& p) { return p == a || p == seen.stands_for; };
    if (pinned) return std::any_of(link.addresses.begin(), link.addresses.end(), pin) ? verdict::allowed : outside(of);
    return within_any(link.within, a, seen, site) ? verdict::allowed : outside(of);
}

verdict judge(const rule& by, const ip_address& a, const site_address& seen, const site_networks& site) noexcept
{
    switch (by.kind) {
    case rule_kind::allow: return seen.of == address_class::global ? verdict::allowed : verdict::addr_class;
    case rule_kind::private_link: return judge_link(by, a, seen, site);
    case rule_kind::deny: break; // never in an approval
    }
    return verdict::addr_class;
}

} // namespace

boost::system::result<checked_address, address_refusal> check_address(const approval& approved, const ip_address& a,
                                                                      const own_endpoints& own)
{
    const auto seen = classify(a, own.site);
    if (const auto* denier = approved.denies(a)) return address_refusal{verdict::denied_by_rule, denier}.of(a);
    const auto refused = [&seen](verdict why, const rule* by = nullptr) { return address_refusal{why, by}.of(seen.stands_for); };
    const auto* denier = seen.stands_for == a ? nullptr : approved.denies(seen.stands_for);
    if (denier != nullptr) return refused(verdict::denied_by_rule, denier);
    if (is_self(a, seen, approved.to().port, own)) return refused(verdict::self_connect);
    if (const auto said = judge(approved.rule(), a, seen, own.site); said != verdict::allowed) return refused(said);
    return checked_address{a};
}

namespace {

constexpr std::string_view name_the_prefix =
    "it resolves to addresses behind a NAT64 translator: name the translator's prefix as 'nat64' in [network] of exeat.toml";

// Why an address that contains `quad` refuses the answer, although it would not be dialled; none if it can be left out.
std::optional<address_refusal> objection_to_translated(const approval& approved, const ip_address& quad, std::span<const ip_address> found,
                                                       const own_endpoints& own)
{
    if (std::find(found.begin(), found.end(), quad) != found.end()) return std::nullopt; // it is checked as that element
    const auto direct = check_address(approved, quad, own);
    if (!direct) return direct.error();
    if (classify(quad, own.site).of != address_class::global) return address_refusal{verdict::addr_class}.of(quad);
    return std::nullopt;
}

} // namespace

boost::system::result<std::vector<checked_address>, address_refusal> check_answer(const approval& approved,
                                                                                  std::span<const ip_address> found,
                                                                                  const own_endpoints& own)
{
    std::vector<checked_address> checked;
    checked.reserve(found.size());
    for (const auto& a : found) {
        const bool lost = untranslated(a, own.site);
        const auto quad = lost ? stands_for_v4(a) : std::nullopt;
        if (quad && approved.denies(a) == nullptr) {
            if (const auto no = objection_to_translated(approved, *quad, found, own)) return *no;
            continue;
        }
        const auto c = check_address(approved, a, own);
        if (c) checked.push_back(*c);
        else if (lost && c.error().why == verdict::addr_class) return address_refusal{verdict::addr_class, nullptr, name_the_prefix}.of(a);
        else return c.error();
    }
    if (checked.empty() && !found.empty()) return address_refusal{verdict::addr_class, nullptr, name_the_prefix}.of(found.front());
    return checked;
}

} // namespace exeat
