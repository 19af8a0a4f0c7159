// What holds for every change that reaches open tunnels from outside (a reload, an expiry, a finding): a tunnel that may not go on as it is
// and cannot be changed, for lack of memory, ends. No failure of one keeps the others from being changed. Worker's thread.
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
