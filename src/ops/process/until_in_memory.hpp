// What must reach everybody, such as a list that takes something away, is done again until there is memory for it. Blocks meanwhile; never
// on a worker.
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
