// The few socket calls that tunnels make, all non-blocking, all errors as values. One worker's thread.
#pragma once

#include <exeat/config.hpp>
#include <net/loop/reactor.hpp>

#include <boost/system/error_code.hpp>
#include <boost/system/result.hpp>
#include <cstddef>
#include <span>
#include <string_view>
#include <sys/socket.h>

namespace exeat::net {

struct io_result {
    enum class how : std::uint8_t { moved, would_block, ended, failed };
    how what = how::would_block;
    std::size_t bytes = 0;
    int error = 0; // errno when failed

    bool moved() const noexcept { return what == how::moved; }
    bool would_block() const noexcept { return what == how::would_block; }
    bool ended() const noexcept { return what == how::ended; }
    bool failed() const noexcept { return what == how::failed; }
};

// Both update the socket's readiness flags: a would-block clears the flag, and so does a short read or write.
io_result read_some(watched_socket&, std::span<char> into) noexcept;
io_result write_some(watched_socket&, std::string_view bytes) noexcept;
// Like write_some, for bytes that finish_writing() follows at once: both are sent in one segment.
io_result write_last(watched_socket&, std::string_view bytes) noexcept;
// Ends exeat's side of the stream (FIN).
void finish_writing(watched_socket&) noexcept;
// Makes close() send a reset, so that the peer sees the cut.
void reset_on_close(watched_socket&) noexcept;
// Octets that the kernel has accepted and not sent yet; 0 if it cannot tell.
std::size_t unsent(const watched_socket&) noexcept;

struct socket_address { // of either family, in the kernel's format
    sockaddr_storage storage{};
    socklen_t size = 0;
    const sockaddr* data() const noexcept { return reinterpret_cast<const sockaddr*>(&storage); }
};
socket_address to_kernel(const endpoint&) noexcept;
endpoint from_kernel(const sockaddr_storage&) noexcept;
boost::system::result<endpoint> local_endpoint(int fd) noexcept;

// A listening socket with SO_REUSEPORT; transparent for TPROXY. Called before the workers run.
boost::system::result<unique_fd> open_listener(const listener&);
// A listening socket for few clients, without SO_REUSEPORT: no other socket can share its port.
boost::system::result<unique_fd> open_admin_listener(const endpoint&);
// A stream socket that is connecting to `to`. Errors: those that connect(2) returns at once; EINPROGRESS is success.
boost::system::result<unique_fd> begin_connect(const endpoint& to) noexcept;
// SO_ERROR of a socket whose connect has ended.
int connect_error(int fd) noexcept;

} // namespace exeat::net
