#include <ops/process/prompt_thread.hpp>

#include <cstdint>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace exeat::ops {

namespace {

constexpr std::uint64_t shortest_turn = 100'000; // nanoseconds; the kernel's lower bound

// The kernel's struct sched_attr; <linux/sched/types.h> cannot be included together with <sched.h>.
struct attributes {
    std::uint32_t size = sizeof(attributes);
    std::uint32_t policy = SCHED_OTHER;
    std::uint64_t flags = 0;
    std::int32_t nice = 0;
    std::uint32_t priority = 0;
    std::uint64_t runtime = shortest_turn, deadline = 0, period = 0;
};

} // namespace

// Keeps the nice value that exeat was started with, and changes nothing under another scheduling policy.
void take_short_turns() noexcept
{
    attributes a;
    if (::syscall(SYS_sched_getattr, 0, &a, sizeof a, 0) != 0 || a.policy != SCHED_OTHER) return;
    a.runtime = shortest_turn;
    ::syscall(SYS_sched_setattr, 0, &a, 0);
}

} // namespace exeat::ops
