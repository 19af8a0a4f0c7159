// A thread that answers events, beside one that computes for a second: a reload of a million names on the worker's own core.
#pragma once

namespace exeat::ops {

// Asks the kernel for short turns: the calling thread gets no more of a core than before, but does not wait out another's turn when it is
// woken (Linux 6.12 and later; sched(7), sched_setattr(2): sched_runtime of SCHED_OTHER). Where the kernel does not know of it nothing
// changes.
void take_short_turns() noexcept;

} // namespace exeat::ops
