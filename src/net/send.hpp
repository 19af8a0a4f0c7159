// The two ways to send: a short text of exeat's own, to its end, and the client's bytes upstream, as far as its budgets allow. Worker's
// thread.
#pragma once

#include <net/loop/reactor.hpp>
#include <net/loop/task.hpp>

#include <cstddef>
#include <string_view>

namespace exeat::net {

struct tunnel;
struct splice_pipe;
class account;

// False when the peer is gone or the deadline has passed. An interruption does not stop it, because a refusal must reach its client.
task<bool> send_all(tunnel&, watched_socket& to, std::string_view bytes);
// The same to the client, for a text that finish_writing() follows at once.
task<bool> send_last(tunnel&, std::string_view bytes);

struct sent {
    enum class how : std::uint8_t {
        wrote,  // `bytes` were written; fewer than given when the socket is full or the gate granted no more
        waits,  // the gate grants nothing now, or the audit log cannot be written; a sweep will wake the tunnel
        spent,  // the gate grants nothing any more: account::spent() says how the tunnel ends
        failed, // the upstream accepts no more
    };
    how what = how::wrote;
    std::size_t bytes = 0;
    int error = 0; // errno when failed
};
// The only way for a client's bytes to an upstream: the account's gate limits them, and what the socket accepted is counted. Updates the
// socket's readiness flag.
sent send_upstream(account&, watched_socket& to, std::string_view bytes) noexcept;
sent send_upstream(account&, watched_socket& to, splice_pipe& from) noexcept;

} // namespace exeat::net
