// How c-ares is to ask: each server in turn, then all of them again, waiting twice as long for each. Pure; any thread.
#pragma once

#include <chrono>
#include <cstddef>

namespace exeat::net {

struct dns_tries {
    int rounds;                      // one or two
    std::chrono::milliseconds first; // how long a server is waited for in the first round; its answer is taken later, too
};

// All tries together take no longer than `whole` where that leaves time for one round. c-ares is shown the clock once a sweep, so that a
// try takes up to limits::sweep_interval longer than it should; where two rounds would be shorter than that, one has to do.
dns_tries plan_tries(std::chrono::milliseconds whole, std::size_t servers) noexcept;

} // namespace exeat::net
