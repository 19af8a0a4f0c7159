// Connects to one of the checked addresses (RFC 8305): alternating families, IPv6 first; the next attempt starts after
// limits::attempt_delay, or at once when one fails. Leaves the connected socket in tunnel::upstream and its address in tunnel::peer.
// Worker's thread.
#pragma once

#include <exeat/check_address.hpp>
#include <exeat/policy.hpp>
#include <net/loop/task.hpp>

#include <span>
#include <vector>

namespace exeat::net {

struct tunnel;

// Returns allowed, connect_failure, connect_timeout, overload (no port, descriptor or memory left here), or the verdict of an interruption.
task<verdict> connect(tunnel&, std::vector<checked_address>, std::uint16_t port);

} // namespace exeat::net
