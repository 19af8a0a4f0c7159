// Bytes and denials per client, for one worker. The worker finds and updates without a lock; only adding or removing a client takes the
// mutex, which readers (the scrape) hold while they iterate. References stay valid until forget_idle() removes them, which it never does
// while a tunnel is open. Bounded: when limits::client_slots are used, new clients share others_.
#pragma once

#include <exeat/client.hpp>
#include <exeat/enum_array.hpp>
#include <exeat/limits.hpp>
#include <exeat/rule.hpp>
#include <net/counters.hpp>

#include <array>
#include <chrono>
#include <compare>
#include <cstdint>
#include <functional>
#include <mutex>
#include <unordered_map>

namespace exeat::net {

struct client_key {
    ip_address source;
    std::uint32_t group_slot = 0;
    bool operator==(const client_key&) const = default;
};
struct client_key_hash {
    std::size_t operator()(const client_key&) const noexcept;
};

struct client_account {
    enum_array<purpose, flow, purposes> bytes;
    counter denied;
    counter active;    // open tunnels and connections
    counter last_cut;  // wall-clock seconds of the last tunnel cut by policy; 0: never
    counter last_seen; // steady seconds

    // The scrape's own data, used only by the one reader that each() admits: what it has reported of this account so far.
    struct told {
        std::array<std::array<std::uint64_t, 2>, purposes> bytes{};
        std::uint64_t denied = 0;
    };
    mutable struct told told;
};

class client_table {
public:
    // Worker's thread only.
    client_account& of(const client_key&);
    // Removes clients unseen for limits::client_idle; their counts are added to others_, so that sums never fall. Looks at most once in
    // limits::client_sweep: call it as often as you like.
    void forget_idle(std::chrono::seconds steady_now);

    // Any thread: calls visit(const client_key*, const client_account&); the key is null for the shared account.
    template <class Visit> void each(Visit&& visit) const
    {
        const std::lock_guard hold{mutex_};
        for (const auto& [key, account] : accounts_) visit(&key, account);
        visit(static_cast<const client_key*>(nullptr), others_);
    }

private:
    mutable std::mutex mutex_;
    std::unordered_map<client_key, client_account, client_key_hash> accounts_;
    client_account others_;
    std::chrono::seconds next_sweep_ = std::chrono::seconds::min();
};

} // namespace exeat::net
