// Accepts connections from one listening socket until it is closed: at most limits::accepts_per_turn at a time, within the limits of
// admission, with a pause when the machine has run out of descriptors or memory (a queued connection would wake the loop forever). Worker's
// thread.
#pragma once

#include <net/loop/reactor.hpp>

#include <cstddef>

namespace exeat::net {

class stage_context;

// Runs until stage_context::draining() returns true and, unless other processes share the socket, the queued connections are accepted; then
// closes the socket. `listening` outlives this.
void accept_connections(stage_context& home, watched_socket& listening, std::size_t listener);

} // namespace exeat::net
