// The networks and addresses that [[deny]] entries name, searched by an address that lies in them. Built once, then immutable; any thread.
// A look-up is one binary search for each prefix length that occurs.
#pragma once

#include <exeat/ip_address.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace exeat {

class denied_networks {
public:
    struct entry {
        ip_prefix network;
        std::uint32_t rule = 0; // rule_index of the deny
        bool operator==(const entry&) const = default;
    };

    denied_networks() = default;
    explicit denied_networks(std::vector<entry> all);

    // Calls visit(rule) for every network that the address lies in, the narrowest first, until it returns false.
    template <class Visit> void match(const ip_address& a, Visit&& visit) const
    {
        for (const auto& l : lengths_) {
            const auto around = ip_prefix::around(a, l.bits);
            const auto end = all_.begin() + l.end;
            for (auto e = std::lower_bound(all_.begin() + l.begin, end, around, before); e != end && e->network == around; ++e)
                if (!visit(e->rule)) return;
        }
    }

    bool empty() const noexcept { return all_.empty(); }
    const std::vector<entry>& all() const noexcept { return all_; } // no duplicates; the narrowest first
    std::size_t bytes() const noexcept { return all_.capacity() * sizeof(entry) + lengths_.capacity() * sizeof(length); }

private:
    struct length { // the networks of one prefix length, a part of all_
        std::uint8_t bits;
        std::ptrdiff_t begin, end;
    };
    static bool before(const entry& e, const ip_prefix& p) noexcept { return e.network < p; }

    std::vector<entry> all_; // descending by bits, then ascending by network and rule
    std::vector<length> lengths_;
};

} // namespace exeat
