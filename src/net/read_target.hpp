// From socket bytes to what the client asks for. Reads through the worker's scratch buffer and keeps what was read in tunnel::held, where
// the views of a request head point until it is consumed. Worker's thread.
#pragma once

#include <exeat/client.hpp>
#include <exeat/client_hello.hpp>
#include <exeat/config.hpp>
#include <exeat/request_head.hpp>
#include <net/task.hpp>

#include <boost/system/result.hpp>
#include <optional>

namespace exeat::net {

struct tunnel;

// Why no request came: a verdict to refuse with, or none when the client went away before it had said anything.
struct no_request {
    std::optional<verdict> why;
};
template <class T> using request_or = boost::system::result<T, no_request>;

// The header of a listener that has senders, taken off tunnel::held: who asks is then whom it names, or its sender where it names nobody.
task<request_or<client>> read_client(tunnel&, const listener&);
// The head of the next HTTP request: of a proxy request, or an origin-form one for `port`.
task<request_or<request_head>> read_request(tunnel&, std::optional<std::uint16_t> port);
// A ClientHello; every byte of it stays in tunnel::held for the upstream.
task<request_or<client_hello>> read_hello(tunnel&);
// At most `most` bytes more behind tunnel::held, before the deadline that the caller has set; how many came.
task<request_or<std::size_t>> read_behind(tunnel&, std::size_t most);
// What a redirected client speaks: its first byte, which stays in tunnel::held.
task<request_or<char>> read_first_byte(tunnel&);

} // namespace exeat::net
