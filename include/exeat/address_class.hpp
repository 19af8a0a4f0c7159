// What kind of place an IP address is. Sources: the IANA special-purpose registries (RFC 6890), RFC 6598, RFC 4193, RFC 6052,
// RFC 3056, RFC 4380, and the metadata addresses of the large clouds, some of which lie in public ranges. Pure; any thread.
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
    metadata,    // cloud metadata and host agents: nobody, ever
    link_local,  // nobody
    unspecified, // 0.0.0.0/8 and ::, which reach the machine itself: nobody
    multicast,   // and broadcast: nobody
    embedded_v4, // NAT64, 6to4, Teredo, IPv4-compatible: hides another address: nobody
    reserved,    // documentation, benchmarking, future use, site-local, everything outside 2000::/3: nobody
};

address_class classify(const ip_address&) noexcept;

// What the registries cannot know of the addresses at this site ([network] of exeat.toml).
struct site_networks {
    std::vector<ip_prefix> internal;  // of public class, yet the site's own: private_use
    std::optional<ip_prefix> nat64{}; // the prefix of its translators: of 32, 40, 48, 56, 64 or 96 bits, bits 64 to 71 zero
    bool operator==(const site_networks&) const = default;
};

// An address as it is judged at a site: in the site's NAT64 prefix by the IPv4 address that it stands for.
struct site_address {
    ip_address stands_for; // itself, outside of that prefix
    address_class of;      // embedded_v4: a translated loopback address, or bits 64 to 71 are set, which no translator writes
};
site_address classify(const ip_address&, const site_networks&) noexcept;

// Where DNS64 puts what it translates unless a site says otherwise (RFC 6052 section 2.1, RFC 8215), and not in the prefix that this site
// has named: such an address cannot be dialled.
bool untranslated(const ip_address&, const site_networks&) noexcept;
// The IPv4 address that an untranslated one stands for; known only of 64:ff9b::/96.
std::optional<ip_address> stands_for_v4(const ip_address&) noexcept;

std::string_view to_string(address_class) noexcept;

} // namespace exeat
