// The wall clock by which grants, lists and report mode end. A clock can be set, by mistake or by someone who wants an expired grant back,
// so it is compared with the time since boot (CLOCK_BOOTTIME), which cannot be set. A clock that was set forward is used at once, for as
// long as it shows that time; a clock that was set back is ignored, and the time continues as before. When both clocks have run alike for
// `trial`, the time shown is certain: the time is never before it, in this process and, by the state directory, in the next one. Waits are
// measured with the steady clock; log lines are stamped with the machine's clock.
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
    static constexpr std::chrono::seconds step{5}; // the difference between the clocks may change by this and still count as unchanged
    static constexpr std::chrono::minutes trial{10};

    struct reading {
        wall_time wall;
        std::chrono::seconds boot; // since boot
    };

    // Any thread. The latest of the clock's time, its time if nobody had set it, and the certain time.
    wall_time now(const reading&) const noexcept;
    // Any thread. The earlier of the clock's time and its time if nobody had set it; for the end of restrictions.
    wall_time earliest(const reading&) const noexcept;
    std::optional<wall_time> certain(const reading&) const noexcept;
    void has_been(wall_time, const reading&) noexcept; // makes this time certain
    // One thread, about every second. Returns by how much the clock is wrong; 0: it is right.
    std::chrono::seconds look(const reading&) noexcept;

private:
    using offset = std::int64_t; // wall clock minus time since boot, in seconds
    static constexpr offset none = std::numeric_limits<offset>::min();
    static offset offset_of(const reading& r) noexcept { return (r.wall.time_since_epoch() - r.boot).count(); }
    void raise(offset) noexcept;

    std::atomic<offset> certain_{none}, course_{none}; // course_: the offset if nobody had set the clock
    offset seen_ = none;                               // the offset at the last look
    std::chrono::seconds since_{0};                    // boot time since which the offset has been about seen_
};

// One clock for the whole process: all workers, the loader and the admin pages agree.
wall_time wall_now() noexcept;
wall_time wall_earliest() noexcept;
// The same for a time from wall_now() or from a test: moved back by the current difference between the two. Only for restrictions, which
// end by the earlier clock.
wall_time wall_earliest(wall_time now) noexcept;
// The certain time of an earlier process: wall_now() is never before it.
void wall_has_been(wall_time) noexcept;
std::optional<wall_time> wall_certain() noexcept;
std::chrono::seconds look_at_wall() noexcept; // wall_clock::look(); one thread

} // namespace exeat::net
