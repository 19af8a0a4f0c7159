// D3 drip: slow uploads below every budget. A leaky bucket for each client at each entry: it fills with what is uploaded and leaks twice
// the client's usual hour plus a floor. The usual hour is learnt slowly (time constant a week) from clipped hours, so that a ramp cannot
// raise it. For a new client it starts at what the entry's clients usually do; otherwise each day's pods would cause a finding. D15
// collusion: several clients whose buckets fill at one entry within a day. One thread.
#pragma once

#include <exeat/bounded_table.hpp>
#include <exeat/detect/flow_event.hpp>
#include <exeat/detect/keys.hpp>
#include <exeat/detect/thresholds.hpp>

#include <array>

namespace exeat::detect {

class drip_watch {
public:
    drip_watch(std::size_t capacity, std::uint64_t seed, const thresholds&);

    void see(const flow_event&, findings&);
    void pass_on(const entry_heirs& to)
    {
        buckets_.pass_on(to, [](const bucket& a, const bucket& b) { return a.level > b.level; });
        shared_.pass_on(to, [](const shared&, const shared& b) { return b.usual == 0; });
    }

    template <class Archive> void fields(Archive& a) { a(buckets_, shared_); }
    const auto& buckets() const noexcept { return buckets_; }

private:
    struct bucket {
        double level = 0, usual = 0, hour = 0; // octets; octets an hour; octets of this hour
        double told_at = 0;                    // the level at the last finding; 0: none
        moment at{0}, hour_began{0};
        bool begun = false, half_full = false;
        template <class Archive> void fields(Archive& a) { a(level, usual, hour, told_at, at, hour_began, begun, half_full); }
    };
    struct shared { // of an entry: its clients' usual hour, and the clients that filled a bucket lately
        struct one {
            ip_address client;
            moment at{0};
            bool used = false;
            template <class Archive> void fields(Archive& a) { a(client, at, used); }
        };
        double usual = 0; // octets an hour of a client
        std::array<one, 8> clients{};
        repeat_guard told;
        template <class Archive> void fields(Archive& a) { a(usual, clients, told); }
    };

    void learn(bucket&, const flow_event&);
    void share(const flow_event&, findings&);

    const thresholds& than_;
    bounded_table<client_key, bucket, client_key_hash> buckets_;
    bounded_table<client_key, shared, client_key_hash> shared_;
};

} // namespace exeat::detect
