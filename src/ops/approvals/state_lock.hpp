// The one lock under which the approvals' files in `state` are read, compared and written, so that of several processes (an upgrade, one
// that was stopped and goes on) none writes back what another has raised since. Held for the moment of the change, never for life. Blocks.
#pragma once

#include <net/sockets/unique_fd.hpp>

#include <string>

namespace exeat::ops {

class state_lock {
public:
    // Waits for others up to limits::state_lock_time.
    explicit state_lock(const std::string& directory);
    const std::string& wrong() const noexcept { return wrong_; } // empty: it is held, until this ends

private:
    net::unique_fd file_;
    std::string wrong_;
};

} // namespace exeat::ops
