// One plain-HTTP exchange: judged by itself, its head written anew, its body's framing enforced both ways. The upstream connection is kept
// for the next request only if that one goes to the same host and port under the same rule. Worker's thread.
#pragma once

#include <exeat/request_head.hpp>
#include <net/task.hpp>

namespace exeat::net {

struct tunnel;

// `head` is in tunnel::held; it and the body are consumed. True when the connection can take another request.
task<bool> forward(tunnel&, const request_head& head);

} // namespace exeat::net
