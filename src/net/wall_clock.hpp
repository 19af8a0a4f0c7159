// The wall clock by which grants, lists and report mode end. A clock can be set, by mistake or by somebody who wants an old grant back, so
// it is compared with the time since boot (CLOCK_BOOTTIME), which nobody sets. A clock that was set forward counts at once, for as long as
// it shows that time; one that was set back does not count, and the time goes on as it did. When both clocks have gone alike for `trial`,
// what the clock shows is certain: the time is never before it, in this process and, by the state directory, in the next one. What measures
// a wait takes the steady clock, what stamps a line takes the machine's.
#pragma once

#include <exeat/rule.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <limits>
#include <optional>

namespace exeat::net {

class wall_clock {
public:
    static constexpr std::chrono::seconds step{5}; // by which the two clocks may differ more than before and still go alike
    static constexpr std::chrono::minutes trial{10};

    struct reading {
        wall_time wall;
        std::chrono::seconds boot; // since boot
    };

    // Any thread: the latest of what the clock shows, what it would show if nobody had set it, and what is certain.
    wall_time now(const reading&) const noexcept;
    // Any thread: the earlier of what the clock shows and what it would show if nobody had set it, for what ends a restriction.
    wall_time earliest(const reading&) const noexcept;
    std::optional<wall_time> certain(const reading&) const noexcept;
    void has_been(wall_time, const reading&) noexcept; // certain from now on
    // One thread, about every second. By how much the clock shows another time than it should; 0: it is right.
    std::chrono::seconds look(const reading&) noexcept;

private:
    using offset = std::int64_t; // of the wall clock to the time since boot, in seconds
    static constexpr offset none = std::numeric_limits<offset>::min();
    static offset offset_of(const reading& r) noexcept { return (r.wall.time_since_epoch() - r.boot).count(); }
    void raise(offset) noexcept;

    std::atomic<offset> certain_{none}, course_{none}; // course_: that it would have if nobody had set it
    offset seen_ = none;                               // that it had at the last look
    std::chrono::seconds since_{0};                    // boot: it has been about this one
};

// One for the whole process: all workers, the loader and the admin pages agree.
wall_time wall_now() noexcept;
wall_time wall_earliest() noexcept;
// The same for a moment that was wall_now(), or is a test's: moved back by as much as the two differ. For what only restricts: it ends by
// the earlier clock.
wall_time wall_earliest(wall_time now) noexcept;
// What an earlier process was certain of: wall_now() is never before it.
void wall_has_been(wall_time) noexcept;
std::optional<wall_time> wall_certain() noexcept;
std::chrono::seconds look_at_wall() noexcept; // wall_clock::look(); one thread

} // namespace exeat::net
