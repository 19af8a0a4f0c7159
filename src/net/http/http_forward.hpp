// One plain-HTTP exchange: judged by itself, its head written anew, its body's framing enforced in both directions. The upstream connection
// is kept for the next request only if nothing is outstanding on it in either direction, and that request has the same host and port under
// the same rule. Worker's thread.
#pragma once

#include <exeat/request_head.hpp>
#include <net/refuse.hpp>

namespace exeat::net {

enum class after_exchange : std::uint8_t {
    next_request,
    over,
    send_again, // the kept upstream connection had ended; `head` is still in tunnel::held, for a new connection
};

// `head` is in tunnel::held; it and the body are consumed.
task<or_refusal<after_exchange>> forward(tunnel&, const request_head& head);

} // namespace exeat::net
