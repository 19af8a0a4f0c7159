// Whose account a host's uploads are counted in, and what follows when a list says otherwise: no edit of a list may give a client a fresh
// budget. What has a host (and a port) that was another's before, or lately, inherits from that: an account begins with the largest sums of
// those that it inherits from, and so does what is kept of an entry (names of wildcards, what detectors know, who is shut out).
//
// Where two entries have a host, which of them serves a client depends on their order, kind, protocol, groups and end, and on the networks
// of the groups. If one of these changes, each inherits from the other: of all clients, or where only networks changed, of the clients that
// are in other groups now. As long as all of that stays, an entry inherits nothing for hosts that it had. An entry whose end has passed has
// no hosts.
//
// A host is a few hashes here, not its text. Two share one with a probability of 2^-46, and then an entry inherits that need not.
// Values; one thread unless it says otherwise.
#pragma once

#include <exeat/budget/budget_book.hpp>
#include <exeat/policy.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

namespace exeat {

account_id client_account(const rule&, const policy_settings&); // of a client
account_id shared_account(const rule&);                         // of all clients together

// What one entry's hosts belong to.
struct holding {
    account_id client, shared;
    std::uint64_t entry = 0;          // rule::id
    std::vector<std::uint16_t> ports; // ascending
    std::uint64_t terms = 0;          // a digest of kind, protocol and groups: of what decides whom it serves
    std::uint64_t groups = 0;         // a digest of the groups' names; 0: all

    // Whether all that belongs to the other one belongs to the same here, whoever is served.
    bool takes_in(const holding& other) const;
    bool operator==(const holding&) const = default;
};

// Hosts as marks (core/host_marks.hpp): a hash of 46 bits, what it is of, and in the lower bits the index of the holding.
struct coverage {
    static constexpr unsigned index_bits = 16;
    std::vector<holding> holdings;
    std::vector<std::uint64_t> marks; // ascending, none twice
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
        wall_time until{};     // it is remembered
        bool anywhere = false; // too many hosts to remember, so any may have been its own
        bool operator==(const past_holding&) const = default;
    };
    struct state {
        coverage now, past;
        std::vector<past_holding> of_past; // by index of past.holdings
        bool operator==(const state&) const = default;
    };
    account_history() = default;
    explicit account_history(state s) : is_{std::move(s)} {}

    // What follows if this policy, whose coverage is `next`, comes into force. Many threads, while none adopts.
    account_heirs heirs_under(const policy&, const coverage& next, wall_time now) const;
    // It has come into force. What it lacks is remembered for limits::account_memory. Where that is too much to remember, those go first
    // from which nobody sent anything, as `used` says. It is asked only then.
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
