// Two pumps between the client and the upstream, each with half-close, until both directions have ended or something cuts the tunnel. An
// idle tunnel holds no buffer, no pipe and no timer. Worker's thread.
#pragma once

#include <exeat/ending.hpp>
#include <net/loop/task.hpp>

#include <memory>
#include <string>

namespace exeat::net {

struct tunnel;

// Sends tunnel::held to the upstream and `early`, if there is any, to the client first. Both sockets are connected and the account is
// open.
task<ending> relay(tunnel&, std::unique_ptr<std::string>& early);

} // namespace exeat::net
