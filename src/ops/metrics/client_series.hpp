// Which clients have metric series of their own: each client from its first byte or refusal, while there is room (limits::client_series).
// After that, a client that moved limits::client_series_bytes (or was denied limits::client_series_denials times) replaces the least active
// client that did neither. Such a client keeps its series until it has been idle for limits::client_idle. A notable client, with a finding
// or a budget that is nearly used up, replaces any that is not notable. All other clients are "_other"; what removed series had shown is
// "_past". No series ever decreases, and their sum contains every byte.
// One thread at a time; it is the only reader that uses client_account::told.
#pragma once

#include <net/clients/client_table.hpp>

#include <array>
#include <chrono>
#include <cstdint>
#include <set>
#include <unordered_map>
#include <vector>

namespace exeat::ops {

// Indexed by purpose and then by direction.
enum direction : std::uint8_t { upload, download };
struct client_totals {
    std::array<std::array<std::uint64_t, 2>, purposes> bytes{};
    std::uint64_t denied = 0;

    client_totals& operator+=(const client_totals&) noexcept;
    client_totals& operator-=(const client_totals&) noexcept;
    std::uint64_t sum(direction) const noexcept;
    std::uint64_t all_bytes() const noexcept { return sum(upload) + sum(download); }
    bool none() const noexcept { return denied == 0 && all_bytes() == 0; }
};

class client_series {
public:
    struct series {
        client_totals shown;
        std::uint64_t last_cut = 0;           // wall-clock seconds; 0: never
        std::chrono::seconds busy{};          // when it was last active
        std::uint64_t moved = 0, refused = 0; // since its tables contain it; used for ranking
        std::uint64_t active = 0;             // tunnels and connections open now
    };
    using series_map = std::unordered_map<net::client_key, series, net::client_key_hash>;

    explicit client_series(std::vector<const net::client_table*>); // the tables outlive this

    using addresses = std::set<ip_address>;
    void refresh(std::chrono::seconds steady_now, const addresses& notable = {}); // addresses of clients that must be visible now

    const series_map& named() const noexcept { return named_; }
    const client_totals& other() const noexcept { return other_; }
    const client_totals& past() const noexcept { return past_; }

private:
    struct candidate {
        net::client_key key;
        client_totals total, fresh;
        std::uint64_t last_cut = 0;
        std::uint64_t active = 0;
        bool busy = false;
    };
    using candidate_map = std::unordered_map<net::client_key, candidate, net::client_key_hash>;

    void visit(const net::client_key*, const net::client_account&, std::chrono::seconds now);
    bool is_notable(const net::client_key& k) const { return notable_.contains(k.source); }
    void give_up_idle(std::chrono::seconds now);
    void name_most_active(std::chrono::seconds now);
    void name(const candidate&, std::chrono::seconds now);
    bool make_room_for(const candidate&);
    bool make_room_for_notable();
    void give_up(series_map::iterator);

    std::vector<const net::client_table*> tables_;
    series_map named_;
    candidate_map candidates_; // of this refresh
    addresses notable_;        // likewise
    client_totals all_, other_, past_;
};

} // namespace exeat::ops
