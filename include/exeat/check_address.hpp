// Whether an address that an answer of DNS gives, or a rule pins, may be dialled for an approval. Pure; any thread.
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
    address_refusal() noexcept : address_refusal{verdict::addr_class} {}                                // result<> wants one
    address_refusal(verdict v, const rule* denier = nullptr, std::string_view what_to_do = {}) noexcept // NOLINT: a verdict is one
        : why{v}, by{denier}, advice{what_to_do}
    {}
    operator verdict() const noexcept { return why; } // NOLINT
    verdict why;
    const rule* by;          // denied_by_rule: the [[deny]], in the policy of the approval
    std::string_view advice; // what to do about it, where exeat can know; a literal
    ip_address address{};    // that was refused, as it was judged: what it stands for where it is translated; all zero: none
    address_refusal of(const ip_address& a) const noexcept
    {
        auto out = *this;
        out.address = a;
        return out;
    }
};

// The machine's own addresses, exeat's own ports, and what is known of the addresses around it.
struct own_endpoints {
    std::vector<ip_address> addresses; // ascending; of all interfaces
    std::vector<std::uint16_t> ports;  // ascending; that exeat listens on, admin included
    site_networks site{};
};

// An address that one approval may be dialled at. Only check_address makes one, and connect takes nothing else.
class checked_address {
public:
    const ip_address& address() const noexcept { return address_; }

private:
    friend boost::system::result<checked_address, address_refusal> check_address(const approval&, const ip_address&, const own_endpoints&);
    explicit checked_address(const ip_address& a) noexcept : address_{a} {}
    ip_address address_;
};

// Judges one resolved (or pinned) address: denied_by_rule, addr_class, private_link_public, private_link_cidr, self_connect. An address in
// the site's NAT64 prefix is judged by the one that it stands for, and a [[deny]] of either refuses it.
boost::system::result<checked_address, address_refusal> check_address(const approval&, const ip_address&, const own_endpoints&);

// Judges all addresses of an answer; one that is refused refuses them all. Where the site has not named its NAT64 prefix, an address in
// 64:ff9b::/96 (RFC 6052 section 2.1) cannot be dialled. It is left out where it stands for an address that the answer has as well, or for
// a public one that may be dialled, so that DNS64 (RFC 6147) does not refuse every name; an answer of nothing else is addr_class. Empty for
// an empty answer.
boost::system::result<std::vector<checked_address>, address_refusal> check_answer(const approval&, std::span<const ip_address>,
                                                                                  const own_endpoints&);

} // namespace exeat
