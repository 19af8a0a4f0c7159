// Whether an address from a DNS answer, or one that a rule pins, may be dialled for an approval. Pure; any thread.
#pragma once

#include <exeat/address_class.hpp>
#include <exeat/approval.hpp>
#include <exeat/verdict.hpp>

#include <boost/system/result.hpp>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace exeat {

// Why an address, or a whole answer, may not be dialled.
struct address_refusal {
    address_refusal() noexcept : address_refusal{verdict::addr_class} {}                                // result<> requires it
    address_refusal(verdict v, const rule* denier = nullptr, std::string_view what_to_do = {}) noexcept // NOLINT: a verdict is one
        : why{v}, by{denier}, advice{what_to_do}
    {}
    operator verdict() const noexcept { return why; } // NOLINT
    verdict why;
    const rule* by;          // denied_by_rule: the [[deny]], in the policy of the approval
    std::string_view advice; // what the operator can do about it, if known; a literal
    ip_address address{};    // the refused address as it was checked: the IPv4 address in a translated one; all zero: none
    address_refusal of(const ip_address& a) const noexcept
    {
        auto out = *this;
        out.address = a;
        return out;
    }
};

// The machine's own addresses, the ports of exeat, and what is configured about the site's addresses.
struct own_endpoints {
    std::vector<ip_address> addresses; // ascending; of all interfaces
    std::vector<std::uint16_t> ports;  // ascending; the ports that exeat listens on, admin included
    site_networks site{};
};

// An address that may be dialled for one approval. Only check_address creates one, and connect accepts nothing else.
class checked_address {
public:
    const ip_address& address() const noexcept { return address_; }

private:
    friend boost::system::result<checked_address, address_refusal> check_address(const approval&, const ip_address&, const own_endpoints&);
    explicit checked_address(const ip_address& a) noexcept : address_{a} {}
    ip_address address_;
};

// Checks one resolved (or pinned) address: denied_by_rule, addr_class, private_link_public, private_link_cidr, self_connect. An address in
// the site's NAT64 prefix is checked by the IPv4 address in it, and a [[deny]] of either refuses it.
boost::system::result<checked_address, address_refusal> check_address(const approval&, const ip_address&, const own_endpoints&);

// Checks all addresses of an answer; a refused one refuses them all. Where the site has not configured its NAT64 prefix, an address in
// 64:ff9b::/96 (RFC 6052 section 2.1) cannot be dialled. It is left out when the answer also has the IPv4 address that it contains, or when
// that one is public and may be dialled, so that DNS64 (RFC 6147) does not refuse every name; an answer of nothing else is addr_class.
// Empty for an empty answer.
boost::system::result<std::vector<checked_address>, address_refusal> check_answer(const approval&, std::span<const ip_address>,
                                                                                  const own_endpoints&);

} // namespace exeat
