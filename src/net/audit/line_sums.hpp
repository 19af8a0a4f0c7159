// Denials and plain-HTTP exchanges that share an audit line: summed by client, source, entry, host and port, reason, mode and list, until
// the line of the sum is written. Once a client has limits::audit_client_sums, its further denials are summed without a host. Each sum
// belongs to one client, so that no line and no finding ever names a client for what another did. When there is no room for another sum,
// denials are added to a sum that names no client; exchanges, which may use half of the room and an eighth of it per client, need lines of
// their own. One worker's thread.
#pragma once

#include <net/audit/audit_ring.hpp>
#include <net/clients/client_table.hpp>

#include <cstddef>
#include <list>
#include <unordered_map>

namespace exeat::net {

class line_sums {
public:
    explicit line_sums(std::size_t most = limits::audit_sums);

    // False: no room for another exchange. (A denial always finds a sum.)
    bool add(const audit_record&) noexcept;
    // Passes the oldest sums to `write`, at most `most` of them. When it returns false, that sum and the later ones stay.
    template <class Write> void tell(std::size_t most, Write write)
    {
        for (; most > 0 && !sums_.empty() && write(sums_.front()); --most) forget_first();
        if (most > 0 && nobodys_.stands_for > 0 && write(nobodys_)) nobodys_.stands_for = 0;
    }
    bool empty() const noexcept { return sums_.empty() && nobodys_.stands_for == 0; }
    std::uint64_t events() const noexcept; // that wait in sums

private:
    struct key {
        ip_address client, source;
        std::uint64_t policy, rule_id, host; // host: a keyed hash
        std::uint32_t group_slot;
        std::uint16_t port;
        audit_action action;
        enum verdict verdict;
        ending ended;
        request_mode mode;
        bool operator==(const key&) const = default;
    };
    struct key_hash {
        std::size_t operator()(const key&) const noexcept;
    };
    static key key_of(const audit_record&) noexcept;
    audit_record* sum_of(const audit_record&); // throws std::bad_alloc
    audit_record* begin(const key&, const audit_record&);
    void add_to_nobodys(const audit_record&) noexcept;
    void forget_first() noexcept;

    const std::size_t most_;
    std::list<audit_record> sums_; // oldest first
    std::unordered_map<key, std::list<audit_record>::iterator, key_hash> by_key_;
    std::unordered_map<client_key, std::size_t, client_key_hash> of_client_; // number of sums of each client
    audit_record nobodys_;
};

} // namespace exeat::net
