// Takes connections from one listening socket until it is closed: up to limits::accepts_per_turn at a time, within the limits of admission,
// with a pause when the machine has run out of fds or memory (a queued connection would wake the loop for ever). Worker's thread.
#pragma once

#include <net/loop/reactor.hpp>

#include <cstddef>

namespace exeat::net {

class stage_context;

// Runs until worker::draining() says so and, where the socket is ours alone, what was queued is taken; then closes the socket, which
// `listening` outlives.
void accept_connections(stage_context& home, watched_socket& listening, std::size_t listener);

} // namespace exeat::net
