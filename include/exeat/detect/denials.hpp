// D9 denied_burst: a client that tries one target after the other. A threshold random walk (Jung et al. 2004) over different targets: a
// refusal multiplies by four, a success divides by four. Also fifty refusals within five minutes, whatever the targets. D10 name_mismatch:
// a name inside TLS that is not the one requested, hidden (a browser's GREASE ECH looks like this, too), changed or missing, or no TLS at
// all. One thread.
#pragma once

#include <exeat/bounded_table.hpp>
#include <exeat/detect/flow_event.hpp>
#include <exeat/detect/keys.hpp>
#include <exeat/detect/thresholds.hpp>

#include <array>

namespace exeat::detect {

class denial_watch {
public:
    denial_watch(std::size_t capacity, std::uint64_t seed, const thresholds& than) : seed_{seed}, than_{than}, clients_{capacity, {seed}} {}

    void see(const flow_event&, findings&);

    template <class Archive> void fields(Archive& a) { a(clients_); }
    const auto& clients() const noexcept { return clients_; }

private:
    struct suspect {
        double walk = 1;
        std::size_t next = 0;
        moment window_began{0};
        std::uint32_t denied = 0;
        std::uint64_t mismatches = 0;
        repeat_guard told_walk, told_burst, told_mismatch;
        std::array<std::uint64_t, 64> targets{}; // hashes of the last different ones; bit 0: denied
        template <class Archive> void fields(Archive& a)
        {
            a(walk, targets, next, window_began, denied, mismatches, told_walk, told_burst, told_mismatch);
        }
    };

    bool is_new(suspect&, const flow_event&) const;
    void walk(suspect&, const flow_event&, findings&) const;
    void count(suspect&, const flow_event&, findings&) const;
    static void mismatch(suspect&, const flow_event&, findings&);

    const std::uint64_t seed_;
    const thresholds& than_;
    bounded_table<client_key, suspect, client_key_hash> clients_;
};

} // namespace exeat::detect
