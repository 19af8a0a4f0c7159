// The lock under which the approval files in `state` are read, compared and written. It prevents one of several processes (during an
// upgrade, or after a stopped process continues) from overwriting a newer state of another. Held only during the change, never for the
// lifetime of the process. Blocks.
#pragma once

#include <net/sockets/unique_fd.hpp>

#include <string>

namespace exeat::ops {

class state_lock {
public:
    // Waits for other processes for at most limits::state_lock_time.
    explicit state_lock(const std::string& directory);
    const std::string& wrong() const noexcept { return wrong_; } // empty: the lock is held until destruction

private:
    net::unique_fd file_;
    std::string wrong_;
};

} // namespace exeat::ops
