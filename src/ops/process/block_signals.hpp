// For threads other than the one that waits for signals: they receive none. With SIGPIPE blocked, a write to a pipe without a reader fails
// with an error.
#pragma once

#include <csignal>

namespace exeat::ops {

inline void block_signals() noexcept
{
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_BLOCK, &all, nullptr);
}

// Blocks or unblocks SIGHUP and SIGUSR1. While blocked they stay pending; without a handler, each would terminate the process.
inline void set_early_signals(int how) noexcept
{
    sigset_t early;
    ::sigemptyset(&early);
    ::sigaddset(&early, SIGHUP);
    ::sigaddset(&early, SIGUSR1);
    ::pthread_sigmask(how, &early, nullptr);
}

inline void keep_early_signals() noexcept { set_early_signals(SIG_BLOCK); }
inline void hear_early_signals() noexcept { set_early_signals(SIG_UNBLOCK); }

} // namespace exeat::ops
