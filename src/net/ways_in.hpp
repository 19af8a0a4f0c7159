// The first half of the flow: who is asking, and for what. Each way in (CONNECT, plain HTTP, redirected TLS or HTTP, TLS to exeat's own
// address) leaves the target of a tunnel in the tunnel; plain HTTP is served on the way. Worker's thread.
#pragma once

#include <exeat/config.hpp>
#include <net/account.hpp>
#include <net/refuse.hpp>

#include <optional>

namespace exeat::net {

// A listener that is told its clients by others takes the word of its senders; nobody without a group is read any further.
task<checked> find_client(tunnel&, const listener&);

enum class asked : std::uint8_t {
    tunnel,
    nothing_more, // the connection was served and is over
};

// Leaves in `bill` the account of the request that asks for a tunnel, or of one that was refused.
task<or_refusal<asked>> read_target(tunnel&, std::optional<account>& bill, const listener&);
// Serves the requests that come by a CONNECT tunnel to `place`, which is for plain HTTP. asked::tunnel: TLS came instead, and
// tunnel::to says so.
task<or_refusal<asked>> serve_inside(tunnel&, std::optional<account>& bill, const target& place);

} // namespace exeat::net
