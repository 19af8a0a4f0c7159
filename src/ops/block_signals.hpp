// For threads beside the one that waits for signals: they get none; a pipe whose reader went is an error there and not a signal.
#pragma once

#include <csignal>

namespace exeat::ops {

inline void block_signals() noexcept
{
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_BLOCK, &all, nullptr);
}

} // namespace exeat::ops
