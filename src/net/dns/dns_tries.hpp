// How c-ares asks: each server in turn, then all of them again with twice the wait for each. Pure; any thread.
#pragma once

#include <chrono>
#include <cstddef>

namespace exeat::net {

struct dns_tries {
    int rounds;                      // one or two
    std::chrono::milliseconds first; // the wait for each server in the first round; a later answer is accepted, too
};

// All tries together take at most `whole`, if that leaves time for one round. c-ares sees the clock once per sweep, so a try takes up to
// limits::sweep_interval too long; when two rounds would be shorter than that, there is only one.
dns_tries plan_tries(std::chrono::milliseconds whole, std::size_t servers) noexcept;

} // namespace exeat::net
