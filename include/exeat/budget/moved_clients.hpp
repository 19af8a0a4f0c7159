// Which clients a new list puts into other groups. Values; any thread.
#pragma once

#include <exeat/ip_address.hpp>

#include <cstdint>
#include <vector>

namespace exeat {

// From this address on, up to the next of a list's, clients are in the same groups: 0 for none, otherwise a digest of the groups' names.
struct members_from {
    ip_address first;
    std::uint64_t groups = 0;
    bool operator==(const members_from&) const = default;
};
using membership = std::vector<members_from>; // ascending; what lies before the first is in no group

class moved_clients {
public:
    moved_clients() = default;
    moved_clients(const membership& before, const membership& after);

    bool any() const noexcept { return !parts_.empty(); }
    // `client` is a client::key. The zero bits at the end of an IPv6 key may stand for any address, so they count as moved if one of these
    // addresses did. The zero key, of all clients together, did if some client was in groups before and is in others now.
    bool has(const ip_address& client) const noexcept;

private:
    struct part { // up to the next
        ip_address first;
        bool moved = false;
    };
    std::vector<part> parts_; // empty: nobody moved
    bool regrouped_ = false;
};

} // namespace exeat
