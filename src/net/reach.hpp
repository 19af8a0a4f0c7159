// resolve → classify → connect, in that order and nowhere else: the one way from a decision to an upstream socket, for all ways in.
// Worker's thread.
#pragma once

#include <net/refuse.hpp>

namespace exeat::net {

// From a target that judge() allowed to a connected tunnel::upstream.
task<checked> reach(tunnel&);

} // namespace exeat::net
