// The wall clock that grants, lists and report mode end by: it never goes back, so that what has expired stays expired, whatever is done
// to the machine's clock. What measures a wait takes the steady clock, and what stamps a line takes the machine's. Any thread.
#pragma once

#include <exeat/rule.hpp>

#include <atomic>

namespace exeat::net {

class high_water {
public:
    // The latest of all moments that were ever handed in.
    wall_time raise(wall_time seen) noexcept
    {
        auto latest = latest_.load(std::memory_order_relaxed);
        while (latest < seen && !latest_.compare_exchange_weak(latest, seen, std::memory_order_relaxed)) {}
        return latest < seen ? seen : latest;
    }

private:
    std::atomic<wall_time> latest_{wall_time::min()};
};

// One high-water mark for the whole process: all workers, the loader and the admin pages agree.
wall_time wall_now() noexcept;
// What an earlier process saw: wall_now() is never before it.
void wall_has_been(wall_time) noexcept;

} // namespace exeat::net
