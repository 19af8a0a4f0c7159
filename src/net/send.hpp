// The two ways to send: a short text of exeat's own to its end, and the client's bytes upstream as far as its budgets let them. Worker's
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

// False when the peer is gone or the deadline passed. An interruption does not stop it: a refusal must reach its client.
task<bool> send_all(tunnel&, watched_socket& to, std::string_view bytes);
// The same to the client, for what finish_writing() follows at once.
task<bool> send_last(tunnel&, std::string_view bytes);

struct sent {
    enum class how : std::uint8_t {
        wrote,  // `bytes` of them; fewer than there were when the socket is full or the gate let no more through
        waits,  // the gate gives nothing now, or the audit log cannot be written; a sweep will wake the tunnel
        spent,  // the gate gives nothing any more: account::spent() says how the tunnel ends
        failed, // the upstream takes no more
    };
    how what = how::wrote;
    std::size_t bytes = 0;
    int error = 0; // errno of failed
};
// The one way of a client's byte to an upstream: the account's gate is asked first, and what the socket took is counted. The socket's
// readiness flag is kept.
sent send_upstream(account&, watched_socket& to, std::string_view bytes) noexcept;
sent send_upstream(account&, watched_socket& to, splice_pipe& from) noexcept;

} // namespace exeat::net
