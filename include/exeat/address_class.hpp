// What kind of place an IP address is. Sources: the IANA special-purpose registries (RFC 6890), RFC 6598, RFC 4193, RFC 6052,
// RFC 3056, RFC 4380, and the metadata addresses of the large clouds, some of which lie in public ranges. Pure; any thread.
#pragma once

#include <exeat/ip_address.hpp>

#include <cstdint>
#include <string_view>

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
std::string_view to_string(address_class) noexcept;

} // namespace exeat
