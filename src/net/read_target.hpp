// From socket bytes to the client's request. Reads through the worker's scratch buffer and keeps the bytes in tunnel::held, which the views
// of a request head point into until it is consumed. Worker's thread.
#pragma once

#include <exeat/client.hpp>
#include <exeat/config.hpp>
#include <exeat/request_head.hpp>
#include <exeat/tls/client_hello.hpp>
#include <net/loop/task.hpp>
#include <net/refuse.hpp>

#include <optional>

namespace exeat::net {

// Reads the PROXY header that a listener with senders requires and removes it from tunnel::held. Returns the client that it names, or the
// sender when it names none.
task<or_refusal<client>> read_client(tunnel&, const listener&);
// The destination of a connection's HTTP requests. By default each request names its own, as requests to a proxy do.
struct http_way {
    std::optional<std::uint16_t> port{}; // port of a redirected connection; Host names the host
    const target* inside = nullptr;      // target of the CONNECT tunnel that contains the requests
};
// The head of the next HTTP request. When it is refused, tunnel::to is its target, if one could be read.
task<or_refusal<request_head>> read_request(tunnel&, http_way);
// A ClientHello; every byte of it stays in tunnel::held for the upstream.
task<or_refusal<client_hello>> read_hello(tunnel&);
// Appends between 1 and `most` bytes to tunnel::held, before the deadline that the caller has set.
task<checked> read_behind(tunnel&, std::size_t most);
// The first byte of a redirected client, which shows its protocol; it is the first byte of tunnel::held.
task<checked> read_first_byte(tunnel&);

} // namespace exeat::net
