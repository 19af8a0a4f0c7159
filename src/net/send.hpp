// Sends a short text whole, before the tunnel's deadline. Worker's thread.
#pragma once

#include <net/reactor.hpp>
#include <net/task.hpp>

#include <string_view>

namespace exeat::net {

struct tunnel;

// False when the peer is gone or the deadline passed. An interruption does not stop it: a refusal must reach its client.
task<bool> send_all(tunnel&, watched_socket& to, std::string_view bytes);

} // namespace exeat::net
