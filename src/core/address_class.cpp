#include <exeat/address_class.hpp>

#include <algorithm>
#include <array>
#include <initializer_list>

namespace exeat {

namespace {

struct known {
    ip_prefix where;
    address_class what;
};

constexpr known four(std::array<std::uint8_t, 4> quad, unsigned bits, address_class what)
{
    known k{{{}, static_cast<std::uint8_t>(96 + bits)}, what};
    k.where.network.octets[10] = k.where.network.octets[11] = 0xff;
    for (std::size_t i = 0; i < quad.size(); ++i) k.where.network.octets[12 + i] = quad[i];
    return k;
}

// `groups` are the first 16-bit groups of the address, `tail` is its last 32 bits; the rest is zero.
constexpr known six(std::initializer_list<std::uint16_t> groups, unsigned bits, address_class what, std::uint32_t tail = 0)
{
    known k{{{}, static_cast<std::uint8_t>(bits)}, what};
    std::size_t i = 0;
    for (const auto g : groups) {
        k.where.network.octets[i++] = static_cast<std::uint8_t>(g >> 8);
        k.where.network.octets[i++] = static_cast<std::uint8_t>(g);
    }
    for (i = 0; i < 4; ++i) k.where.network.octets[15 - i] |= static_cast<std::uint8_t>(tail >> (8 * i));
    return k;
}

using enum address_class;

// The first entry that contains the address determines its class: single addresses come before the networks that contain them.
constexpr std::array v4_places{
    four({169, 254, 169, 254}, 32, metadata), // AWS, Azure, GCP, OpenStack, DigitalOcean, ...
    four({169, 254, 169, 253}, 32, metadata), // AWS: resolver
    four({169, 254, 169, 123}, 32, metadata), // AWS: clock
    four({169, 254, 170, 2}, 32, metadata),   // AWS: ECS task credentials
    four({169, 254, 170, 23}, 32, metadata),  // AWS: EKS pod identity
    four({169, 254, 0, 23}, 32, metadata),    // Tencent
    four({169, 254, 42, 42}, 32, metadata),   // Scaleway
    four({168, 63, 129, 16}, 32, metadata),   // Azure: host agent, in a public range
    four({100, 100, 100, 200}, 32, metadata), // Alibaba
    four({192, 0, 0, 192}, 32, metadata),     // Oracle
    four({0, 0, 0, 0}, 8, unspecified),       four({127, 0, 0, 0}, 8, loopback),
    four({10, 0, 0, 0}, 8, private_use),      four({172, 16, 0, 0}, 12, private_use),
    four({192, 168, 0, 0}, 16, private_use),  four({100, 64, 0, 0}, 10, private_use),
    four({169, 254, 0, 0}, 16, link_local),   four({192, 0, 0, 0}, 24, reserved),        // IETF protocol assignments
    four({192, 0, 2, 0}, 24, reserved),                                                  // documentation, RFC 5737
    four({198, 51, 100, 0}, 24, reserved),                                               //
    four({203, 0, 113, 0}, 24, reserved),                                                //
    four({192, 88, 99, 0}, 24, reserved),                                                // 6to4 relays, RFC 7526
    four({198, 18, 0, 0}, 15, reserved),                                                 // benchmarking, RFC 2544
    four({224, 0, 0, 0}, 4, multicast),       four({255, 255, 255, 255}, 32, multicast), // limited broadcast
    four({240, 0, 0, 0}, 4, reserved),        four({0, 0, 0, 0}, 0, global),
};

constexpr std::array v6_places{
    six({0xfd00, 0x0ec2}, 128, metadata, 0x0254), // AWS
    six({0xfd00, 0x0ec2}, 128, metadata, 0x0253),
    six({0xfd00, 0x0ec2}, 128, metadata, 0x0123),
    six({0xfd00, 0x0ec2}, 128, metadata, 0x0023),
    six({0xfd20, 0x00ce}, 128, metadata, 0x0254), // GCP
    six({0xfd00, 0x0042}, 128, metadata, 0x0042), // Scaleway
    six({0xfe80}, 128, metadata, 0xa9fea9fe),     // OpenStack
    six({}, 128, unspecified),
    six({}, 128, loopback, 1),
    six({}, 96, embedded_v4),                       // IPv4-compatible, RFC 4291 section 2.5.5.1
    six({0, 0, 0, 0, 0xffff, 0}, 96, embedded_v4),  // IPv4-translated, RFC 2765
    six({0x0064, 0xff9b}, 96, embedded_v4),         // NAT64, RFC 6052
    six({0x0064, 0xff9b, 0x0001}, 48, embedded_v4), // NAT64, RFC 8215
    six({0x2002}, 16, embedded_v4),                 // 6to4, RFC 3056
    six({0x2001, 0x0000}, 32, embedded_v4),         // Teredo, RFC 4380
    six({0x2001, 0x0000}, 23, reserved),            // IETF protocol assignments: benchmarking, ORCHID, AMT, ...
    six({0x2001, 0x0db8}, 32, reserved),            // documentation, RFC 3849
    six({0x3fff}, 20, reserved),                    // documentation, RFC 9637
    six({0xfc00}, 7, private_use),
    six({0xfe80}, 10, link_local),
    six({0xff00}, 8, multicast),
    six({0x2000}, 3, global),
    six({}, 0, reserved), // site-local (fec0::/10), discard-only (100::/64), SRv6 (5f00::/16), everything unassigned
};

template <std::size_t N> address_class look_up(const std::array<known, N>& places, const ip_address& a) noexcept
{
    for (const auto& k : places)
        if (k.where.contains(a)) return k.what;
    return reserved;
}

} // namespace

address_class classify(const ip_address& a) noexcept { return a.is_v4() ? look_up(v4_places, a) : look_up(v6_places, a); }

namespace {

// RFC 6052 section 2.2: the IPv4 address follows the prefix but skips octet 8, which is zero.
std::optional<ip_address> embedded_v4_of(const ip_address& a, const ip_prefix& nat64) noexcept
{
    constexpr std::size_t zero_octet = 8;
    if (a.octets[zero_octet] != 0) return std::nullopt;
    std::uint32_t quad = 0;
    std::size_t at = nat64.bits / 8;
    for (int i = 0; i < 4; ++i, ++at) {
        if (at == zero_octet) ++at;
        quad = quad << 8 | a.octets[at];
    }
    return ip_address::v4(quad);
}

site_address translated(const ip_address& a, const ip_prefix& nat64) noexcept
{
    const auto quad = embedded_v4_of(a, nat64);
    const auto of = quad ? classify(*quad) : embedded_v4;
    if (!quad || of == loopback) return {a, embedded_v4};
    return {*quad, of};
}

} // namespace

site_address classify(const ip_address& a, const site_networks& site) noexcept
{
    site_address out{a, classify(a)};
    if (site.nat64 && site.nat64->contains(a) && out.of != metadata) out = translated(a, *site.nat64);
    const bool own = out.of == global && std::any_of(site.internal.begin(), site.internal.end(),
                                                     [&](const ip_prefix& p) { return p.contains(out.stands_for); });
    if (own) out.of = private_use;
    return out;
}

namespace {
constexpr auto well_known_nat64 = six({0x0064, 0xff9b}, 96, embedded_v4).where,
               local_nat64 = six({0x0064, 0xff9b, 0x0001}, 48, embedded_v4).where;
}

bool untranslated(const ip_address& a, const site_networks& site) noexcept
{
    if (site.nat64 && site.nat64->contains(a)) return false;
    return well_known_nat64.contains(a) || local_nat64.contains(a);
}

std::optional<ip_address> stands_for_v4(const ip_address& a) noexcept
{
    return well_known_nat64.contains(a) ? embedded_v4_of(a, well_known_nat64) : std::nullopt;
}

std::string_view to_string(address_class c) noexcept
{
    switch (c) {
    case global: return "global";
    case private_use: return "private_use";
    case loopback: return "loopback";
    case metadata: return "metadata";
    case link_local: return "link_local";
    case unspecified: return "unspecified";
    case multicast: return "multicast";
    case embedded_v4: return "embedded_v4";
    case reserved: break;
    }
    return "reserved";
}

} // namespace exeat
