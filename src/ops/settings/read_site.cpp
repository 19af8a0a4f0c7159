#include <ops/settings/read_site.hpp>

#include <exeat/limits.hpp>
#include <ops/text/exeat_toml_keys.hpp>
#include <ops/text/networks.hpp>

#include <algorithm>
#include <fmt/format.h>

namespace exeat::ops {

namespace {

constexpr toml_key internal = key_of(exeat_toml::network, "internal"), nat64 = key_of(exeat_toml::network, "nat64"),
                   client_prefix = key_of(exeat_toml::network, "client_prefix");

bool all_of_v4(const ip_prefix& p) noexcept { return p.bits <= 96; }

void read_internal(section& s, std::vector<ip_prefix>& to)
{
    for (const auto& t : s.texts(internal).value_or(std::vector<located_text>{})) {
        const auto p = read_network(t, s.wrong());
        if (!p) continue;
        if (p->network.is_v4() && all_of_v4(*p))
            s.wrong().error(t.at,
                            fmt::format("{} is all of IPv4, and no [[allow]] would reach anything there; name the networks of the site",
                                        as_shown(t.text)));
        else if (std::find(to.begin(), to.end(), *p) != to.end())
            s.wrong().error(t.at, fmt::format("{} is listed twice; remove one", as_shown(t.text)));
        else to.push_back(*p);
    }
    if (const auto* list = s.array(internal.name); list != nullptr && list->empty())
        s.reject(internal.name, fmt::format("'internal' is empty; write internal = {} or remove it", internal.example));
}

// The prefix lengths of RFC 6052 section 2.2.
bool translated_length(std::uint8_t bits) noexcept
{
    constexpr std::array<std::uint8_t, 6> lengths{32, 40, 48, 56, 64, 96};
    return std::find(lengths.begin(), lengths.end(), bits) != lengths.end();
}

// Whether hosts may have such addresses, or it is in one of the two ranges reserved for translators (RFC 6052, RFC 8215).
bool may_translate(const ip_prefix& p) noexcept
{
    const auto well_known = *ip_prefix::parse("64:ff9b::/96"), local = *ip_prefix::parse("64:ff9b:1::/48");
    if (p == well_known || (p.bits >= local.bits && local.contains(p.network))) return true;
    const auto host = [](const ip_address& a) {
        const auto of = classify(a);
        return of == address_class::global || of == address_class::private_use || of == address_class::reserved;
    };
    return host(p.network) && host(p.last());
}

void read_nat64(section& s, std::optional<ip_prefix>& to)
{
    constexpr std::size_t zero_octet = 8;
    const auto text = s.text(nat64);
    if (!text) return;
    const auto p = ip_prefix::parse(*text);
    if (!p || p->network.is_v4() || !translated_length(p->bits))
        s.reject(nat64.name,
                 fmt::format("{} is not a NAT64 prefix; write an IPv6 network of 32, 40, 48, 56, 64 or 96 bits, like {}, host bits zero",
                             as_shown(*text), nat64.example));
    else if (p->network.octets[zero_octet] != 0)
        s.reject(nat64.name, fmt::format("{} has one of bits 64 to 71 set, which RFC 6052 keeps zero; write the prefix of your translator",
                                         as_shown(*text)));
    else if (!may_translate(*p))
        s.reject(nat64.name, fmt::format("{} lies where no NAT64 translator can be; write the prefix of your translator, or remove it",
                                         as_shown(*text)));
    else to = p;
}

} // namespace

void read_site(section& s, network_settings& n)
{
    read_internal(s, n.site.internal);
    read_nat64(s, n.site.nat64);
    if (const auto bits = s.integer(client_prefix)) n.client_prefix = static_cast<std::uint8_t>(*bits);
}

} // namespace exeat::ops
