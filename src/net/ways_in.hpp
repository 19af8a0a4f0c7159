// The first half of the flow: identifies the client and its target. Each mode (CONNECT, plain HTTP, redirected TLS or HTTP, TLS to exeat's
// own address) leaves the target of a tunnel in the tunnel; plain HTTP is served here. Worker's thread.
#pragma once

#include <exeat/config.hpp>
#include <net/account.hpp>
#include <net/refuse.hpp>

#include <optional>

namespace exeat::net {

// On a listener with senders, the sender's header names the client. A client without a group is refused before more is read.
task<checked> find_client(tunnel&, const listener&);

enum class asked : std::uint8_t {
    tunnel,
    nothing_more, // the connection was served and is over
};

// Leaves in `bill` the account of the request that opens a tunnel, or of a refused one.
task<or_refusal<asked>> read_target(tunnel&, std::optional<account>& bill, const listener&);
// Serves the requests inside a CONNECT tunnel to `place`, which an entry for plain HTTP allows. asked::tunnel: the client sent TLS instead,
// as tunnel::to shows.
task<or_refusal<asked>> serve_inside(tunnel&, std::optional<account>& bill, const target& place);

} // namespace exeat::net
