// The only type for host names. Policy, resolver, dialler and log accept nothing else, so that no two of them can read the same bytes
// differently. A hostname is canonical once it is constructed: lower case, no trailing dot, A-labels only (RFC 1123 section 2.1, RFC 5890),
// or an IP address in canonical text. Immutable value; any thread.
#pragma once

#include <exeat/ip_address.hpp>
#include <exeat/verdict.hpp>

#include <boost/system/result.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace exeat {

class hostname {
public:
    // The only factory. Accepts "a.b.c", "A.B.C.", "192.0.2.1" or "[2001:db8::1]"; everything else is verdict::host_syntax: empty labels,
    // octets other than letters, digits, '-' and '_' inside labels, a numeric or 0x last label that is not a strict dotted quad, zones,
    // brackets around names, percent signs, NUL, a name without a dot that is not an address ("localhost", "instance-data").
    static boost::system::result<hostname, verdict> parse(std::string_view text);

    std::string_view str() const noexcept { return text_; } // an IPv6 address without brackets
    std::string authority() const;                          // as in a Host field: an IPv6 address in brackets
    const std::optional<ip_address>& address() const noexcept { return address_; }

    bool operator==(const hostname&) const = default;

private:
    hostname() = default;
    std::string text_;
    std::optional<ip_address> address_;
};

} // namespace exeat
