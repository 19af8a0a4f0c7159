// For a thread that answers events while another one computes for a second, such as a reload of a million names on the same core.
#pragma once

namespace exeat::ops {

// Requests short time slices: the calling thread gets no larger share of a core, but when it wakes up it does not wait for the end of
// another thread's slice (Linux 6.12 and later; sched(7), sched_setattr(2): sched_runtime of SCHED_OTHER). Older kernels ignore it.
void take_short_turns() noexcept;

} // namespace exeat::ops
