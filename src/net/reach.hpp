// decide → resolve → connect, in that order and nowhere else: the one way from a target to an upstream socket, for all ways in.
// Worker's thread.
#pragma once

#include <exeat/verdict.hpp>
#include <net/task.hpp>

namespace exeat::net {

struct tunnel;

// Judges tunnel::to under tunnel::rules into tunnel::said, and counts a new name under a wildcard. A name that is not allowed goes no
// further.
verdict judge(tunnel&);
// From a target that judge() allowed to a connected tunnel::upstream. Anything but allowed is to be refused with.
task<verdict> reach(tunnel&);

} // namespace exeat::net
