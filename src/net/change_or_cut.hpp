// Applies a change that reaches open tunnels from outside (a reload, an expiry, a finding). A tunnel that cannot be changed, for lack of
// memory, is ended; the failure of one tunnel does not keep the others from being changed. Worker's thread.
#pragma once

#include <net/stage_context.hpp>

#include <exception>

namespace exeat::net {

template <class Change> void change_or_cut(tunnel& t, interruption otherwise, Change change) noexcept
{
    try {
        change(t);
    } catch (const std::exception&) {
        t.home.count.out_of_memory.add();
        t.interrupt(otherwise);
    }
}

} // namespace exeat::net
