// Sockets and the epoll loop that the benchmark's programs share. Any failure of set-up ends the program with a message.
#pragma once

#include <net/sockets/unique_fd.hpp>

#include <cstdint>
#include <netinet/in.h>
#include <span>
#include <string>
#include <string_view>
#include <sys/epoll.h>

namespace exeat::bench {

using net::unique_fd;

// Says why and exits with status 1.
[[noreturn]] void fail(std::string_view what);

// "a.b.c.d:port"
sockaddr_in endpoint(std::string_view text);

// Non-blocking, SO_REUSEADDR, TCP_NODELAY for what it accepts.
unique_fd listen_on(const sockaddr_in&);
// The next connection, or none when there is none now.
unique_fd accept_one(int listening);
// A connection that is being set up, non-blocking.
unique_fd dial(const sockaddr_in&);
// Up to the hard limit.
void raise_descriptor_limit();

// As read and send: bytes, 0 at the end; again when nothing can move now; broken on an error.
inline constexpr long again = -1, broken = -2;
long take(int fd, std::span<char> into);
long put(int fd, std::string_view bytes);
// Throws away what has come, without copying it.
long drop(int fd);

// Edge-triggered: each descriptor is registered once, for both directions.
class epoll {
public:
    epoll();
    static constexpr std::uint32_t all = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
    void watch(int fd, void* whom, std::uint32_t events = all);
    // An event again, for one that stopped while it still could go on.
    void rearm(int fd, void* whom);
    std::span<epoll_event> wait(int milliseconds);

private:
    unique_fd fd_;
    epoll_event ready_[256];
};

} // namespace exeat::bench
