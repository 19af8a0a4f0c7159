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

// SIGHUP and SIGUSR1, which would end a process that does not handle them yet, wait until it does.
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
