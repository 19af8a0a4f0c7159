// Determines the account in which uploads to a host are counted, and what follows when a new list changes it: no edit of a list may give a
// client a fresh budget. An account or entry that has a host (and a port) which belonged to another one before, or recently, inherits from
// that one: an account starts with the largest sums of the accounts that it inherits from. The same holds for the data of an entry (used
// names of wildcards, state of the detectors, clients that are shut out).
//
// When two entries have the same host, the one that serves a client depends on their order, kind, protocol, groups and expiry, and on the
// networks of the groups. If one of these changes, each entry inherits from the other: for all clients, or, if only networks changed, for
// the clients that are now in other groups. While none of them changes, an entry inherits nothing for hosts that it already had. An expired
// entry has no hosts.
//
// A host is represented by a few hashes, not by its text. Two hosts have the same hash with a probability of 2^-46; an entry then inherits
// without need. Values; one thread unless stated otherwise.
#pragma once

#include <exeat/budget/budget_book.hpp>
#include <exeat/policy.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

namespace exeat {

account_id client_account(const rule&, const policy_settings&); // of one client
account_id shared_account(const rule&);                         // of all clients together

// The accounts and the terms of one entry's hosts.
struct holding {
    account_id client, shared;
    std::uint64_t entry = 0;          // rule::id
    std::vector<std::uint16_t> ports; // ascending
    std::uint64_t terms = 0;          // a digest of kind, protocol and groups, which decide what clients it serves
    std::uint64_t groups = 0;         // a digest of the groups' names; 0: all groups

    // Whether this holding has the same accounts and the same entry as the other one, and all of its ports; the terms may differ.
    bool takes_in(const holding& other) const;
    bool operator==(const holding&) const = default;
};

// Hosts as marks (core/budget/host_marks.hpp): a hash of 46 bits, the kind of the mark, and in the low bits the index of the holding.
struct coverage {
    static constexpr unsigned index_bits = 16;
    std::vector<holding> holdings;
    std::vector<std::uint64_t> marks; // ascending, no duplicates
    membership clients;
    bool operator==(const coverage&) const = default;
};
static_assert(limits::past_holdings + limits::rules <= std::size_t{1} << coverage::index_bits);

coverage coverage_of(const policy&, wall_time now);

struct account_heirs {
    heirs_of<account_id> uploads;
    heirs_of<std::uint64_t> entries;
    bool empty() const noexcept { return uploads.empty() && entries.empty(); }
};

class account_history {
public:
    struct past_holding {
        wall_time until{};     // the holding is remembered until then
        bool anywhere = false; // its hosts were too many to remember, so any host may have been one of them
        bool operator==(const past_holding&) const = default;
    };
    struct state {
        coverage now, past;
        std::vector<past_holding> of_past; // by index of past.holdings
        bool operator==(const state&) const = default;
    };
    account_history() = default;
    explicit account_history(state s) : is_{std::move(s)} {}

    // The inheritance that follows if this policy, whose coverage is `next`, comes into force. Any number of threads, while none calls
    // adopt().
    account_heirs heirs_under(const policy&, const coverage& next, wall_time now) const;
    // The policy has come into force. What it lacks is remembered for limits::account_memory. When that exceeds the limits, holdings to
    // which no client sent anything, according to `used`, are forgotten first. `used` is called only in that case.
    void adopt(coverage next, wall_time now, const std::function<bool(const holding&)>& used);
    const state& is() const noexcept { return is_; }

private:
    void forget_before(wall_time now);
    void forget_succeeded();
    void remember(const std::vector<std::uint64_t>& marks_of_now, wall_time until);
    void hold_to_limits(const std::function<bool(const holding&)>& used);
    void keep_past(const std::vector<bool>& which);

    state is_;
};

} // namespace exeat
