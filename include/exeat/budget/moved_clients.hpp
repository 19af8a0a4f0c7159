// Which clients a new list puts into other groups. Values; any thread.
#pragma once

#include <exeat/ip_address.hpp>

#include <cstdint>
#include <vector>

namespace exeat {

// Clients from this address up to the next element of a list are in the same groups: 0 for none, otherwise a digest of the groups' names.
struct members_from {
    ip_address first;
    std::uint64_t groups = 0;
    bool operator==(const members_from&) const = default;
};
struct membership {
    std::vector<members_from> ranges; // ascending, for clients that are no pods; addresses before the first are in no group
    std::uint64_t pods = 0;           // a digest of the groups for pods; 0: there are none
    bool operator==(const membership&) const = default;
};

inline constexpr ip_address everybody{{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};

class moved_clients {
public:
    moved_clients() = default;
    moved_clients(const membership& before, const membership& after);

    bool any() const noexcept { return !parts_.empty() || pods_moved_; }
    // `client` is a client::key, or a pod::identity. The zero bits at the end of an IPv6 key may stand for any address, so they count as
    // moved if one of these addresses did. The address of a workload's key may be any, so each counts as moved if anybody did.
    // `everybody` has moved if some client is in groups that it was not in before.
    bool has(const ip_address& client) const noexcept;

private:
    struct part { // from `first` up to the next part
        ip_address first;
        bool moved = false;
    };
    std::vector<part> parts_; // empty: no client moved, except for pods
    bool some_joined_ = false, pods_moved_ = false;
};

} // namespace exeat
