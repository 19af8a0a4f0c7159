// Two pumps between the client and the upstream, each with half-close, until both directions have ended or the tunnel is cut. An idle
// tunnel holds no buffer, no pipe and no timer. Worker's thread.
#pragma once

#include <exeat/ending.hpp>
#include <net/loop/task.hpp>

#include <memory>
#include <string>

namespace exeat::net {

struct tunnel;

// First sends tunnel::held to the upstream and `early`, if not null, to the client. Both sockets are connected and the account is open.
task<ending> relay(tunnel&, std::unique_ptr<std::string>& early);

} // namespace exeat::net
