// Repeats an act that must not be lost, such as announcing a list that revokes access, until there is enough memory for it. Blocks
// meanwhile; never on a worker.
#pragma once

#include <exeat/limits.hpp>

#include <new>
#include <thread>

namespace exeat::ops {

template <class Act> void until_in_memory(Act act)
{
    for (;;) {
        try {
            return act();
        } catch (const std::bad_alloc&) {
            std::this_thread::sleep_for(limits::accept_pause);
        }
    }
}

} // namespace exeat::ops
