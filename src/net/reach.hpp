// resolve → classify → connect, always in that order: the only way from a decision to an upstream socket, for all request modes. Worker's
// thread.
#pragma once

#include <net/refuse.hpp>

namespace exeat::net {

// Takes a target that judge() allowed, and leaves tunnel::upstream connected.
task<checked> reach(tunnel&);

} // namespace exeat::net
