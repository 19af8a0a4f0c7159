// From socket bytes to what the client asks for. Reads through the worker's scratch buffer and keeps what was read in tunnel::held, where
// the views of a request head point until it is consumed. Worker's thread.
#pragma once

#include <exeat/client.hpp>
#include <exeat/config.hpp>
#include <exeat/request_head.hpp>
#include <exeat/tls/client_hello.hpp>
#include <net/loop/task.hpp>
#include <net/refuse.hpp>

#include <optional>

namespace exeat::net {

// The header of a listener that has senders, taken off tunnel::held: who asks is then whom it names, or its sender where it names nobody.
task<or_refusal<client>> read_client(tunnel&, const listener&);
// What a connection's HTTP requests are for: as a rule each of them says where it wants to go, as a proxy's do.
struct http_way {
    std::optional<std::uint16_t> port{}; // of a redirected connection; Host names the rest
    const target* inside = nullptr;      // of the CONNECT tunnel that they come by
};
// The head of the next HTTP request; of one that is refused, tunnel::to is what could be read.
task<or_refusal<request_head>> read_request(tunnel&, http_way);
// A ClientHello; every byte of it stays in tunnel::held for the upstream.
task<or_refusal<client_hello>> read_hello(tunnel&);
// At most `most` bytes more behind tunnel::held, before the deadline that the caller has set; one came at least.
task<checked> read_behind(tunnel&, std::size_t most);
// The first byte of a redirected client, which says what it speaks; it is tunnel::held's first.
task<checked> read_first_byte(tunnel&);

} // namespace exeat::net
