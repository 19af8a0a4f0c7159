// The class of an IP address. Sources: the IANA special-purpose registries (RFC 6890), RFC 6598, RFC 4193, RFC 6052, RFC 3056, RFC 4380,
// and the metadata addresses of the large clouds, some of which lie in public ranges. Pure; any thread.
#pragma once

#include <exeat/ip_address.hpp>

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace exeat {

enum class address_class : std::uint8_t {
    global,      // a public unicast address: the only class that an [[allow]] may reach
    private_use, // RFC 1918, RFC 6598 shared space, RFC 4193 unique local: only a [[private_link]]
    loopback,    // only a [[private_link]] that pins it
    metadata,    // cloud metadata and host agents: never allowed
    link_local,  // never allowed
    unspecified, // 0.0.0.0/8 and ::, which reach the machine itself: never allowed
    multicast,   // and broadcast: never allowed
    embedded_v4, // NAT64, 6to4, Teredo, IPv4-compatible, which contain another address: never allowed
    reserved,    // documentation, benchmarking, future use, site-local, everything outside 2000::/3: never allowed
};

address_class classify(const ip_address&) noexcept;

// Facts about the addresses at this site that the registries do not contain ([network] of exeat.toml).
struct site_networks {
    std::vector<ip_prefix> internal;  // public by class, but internal to the site: classified as private_use
    std::optional<ip_prefix> nat64{}; // prefix of the site's translators: 32, 40, 48, 56, 64 or 96 bits; bits 64 to 71 are zero
    bool operator==(const site_networks&) const = default;
};

// The classification of an address at a site. An address in the site's NAT64 prefix is classified by the IPv4 address in it.
struct site_address {
    ip_address stands_for; // the IPv4 address in a translated address, otherwise the address itself
    address_class of;      // embedded_v4: the address contains a loopback address, or bits 64 to 71 are set, which no translator does
};
site_address classify(const ip_address&, const site_networks&) noexcept;

// Whether the address lies in a default prefix of DNS64 (RFC 6052 section 2.1, RFC 8215) and not in the NAT64 prefix that this site has
// configured: such an address cannot be dialled.
bool untranslated(const ip_address&, const site_networks&) noexcept;
// The IPv4 address that an untranslated address contains; known only for 64:ff9b::/96.
std::optional<ip_address> stands_for_v4(const ip_address&) noexcept;

std::string_view to_string(address_class) noexcept;

} // namespace exeat
