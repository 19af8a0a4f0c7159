// D4 direction_flip: a client that has read for a week and now sends. One thread.
#pragma once

#include <exeat/bounded_table.hpp>
#include <exeat/budget/budget.hpp>
#include <exeat/detect/flow_event.hpp>
#include <exeat/detect/keys.hpp>
#include <exeat/detect/thresholds.hpp>

namespace exeat::detect {

class direction_watch {
public:
    direction_watch(std::size_t capacity, std::uint64_t seed, const thresholds& than) : than_{than}, clients_{capacity, {seed}} {}

    void see(const flow_event&, findings&);

    template <class Archive> void fields(Archive& a) { a(clients_); }
    const auto& clients() const noexcept { return clients_; }

private:
    struct flow {
        sliding_sums up, down;
        repeat_guard told;
        template <class Archive> void fields(Archive& a) { a(up, down, told); }
    };
    const thresholds& than_;
    bounded_table<client_key, flow, client_key_hash> clients_;
};

} // namespace exeat::detect
