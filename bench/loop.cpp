#include "loop.hpp"

#include <arpa/inet.h>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>

namespace exeat::bench {

namespace {

void no_delay(int fd)
{
    const int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

long outcome(ssize_t n) { return n >= 0 ? n : errno == EAGAIN || errno == EWOULDBLOCK ? again : broken; }

} // namespace

void fail(std::string_view what)
{
    std::fprintf(stderr, "%.*s%s%s\n", static_cast<int>(what.size()), what.data(), errno ? ": " : "", errno ? std::strerror(errno) : "");
    std::exit(1);
}

sockaddr_in endpoint(std::string_view text)
{
    const auto colon = text.rfind(':');
    if (colon == std::string_view::npos) fail("an endpoint is ADDRESS:PORT");
    sockaddr_in out{};
    out.sin_family = AF_INET;
    std::uint16_t port = 0;
    std::from_chars(text.data() + colon + 1, text.data() + text.size(), port);
    out.sin_port = htons(port);
    if (::inet_pton(AF_INET, std::string{text.substr(0, colon)}.c_str(), &out.sin_addr) != 1) fail("an endpoint is an IPv4 ADDRESS:PORT");
    return out;
}

unique_fd listen_on(const sockaddr_in& at)
{
    unique_fd fd{::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
    const int on = 1;
    ::setsockopt(fd.value(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    no_delay(fd.value());
    if (::bind(fd.value(), reinterpret_cast<const sockaddr*>(&at), sizeof at) != 0) fail("bind");
    if (::listen(fd.value(), 4096) != 0) fail("listen");
    return fd;
}

unique_fd accept_one(int listening) { return unique_fd{::accept4(listening, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC)}; }

unique_fd dial(const sockaddr_in& to)
{
    unique_fd fd{::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
    if (!fd) fail("socket");
    no_delay(fd.value());
    if (::connect(fd.value(), reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0 && errno != EINPROGRESS) fd.reset();
    return fd;
}

void raise_descriptor_limit()
{
    rlimit now{};
    ::getrlimit(RLIMIT_NOFILE, &now);
    now.rlim_cur = now.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &now);
}

long take(int fd, std::span<char> into) { return outcome(::read(fd, into.data(), into.size())); }
long put(int fd, std::string_view bytes) { return outcome(::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL)); }
long drop(int fd) { return outcome(::recv(fd, nullptr, 4 << 20, MSG_TRUNC)); } // tcp(7): the bytes are discarded, not copied

epoll::epoll() : fd_{::epoll_create1(EPOLL_CLOEXEC)} {}

void epoll::watch(int fd, void* whom, std::uint32_t events)
{
    epoll_event e{};
    e.events = events;
    e.data.ptr = whom;
    if (::epoll_ctl(fd_.value(), EPOLL_CTL_ADD, fd, &e) != 0) fail("epoll_ctl");
}

void epoll::rearm(int fd, void* whom)
{
    epoll_event e{};
    e.events = all;
    e.data.ptr = whom;
    if (::epoll_ctl(fd_.value(), EPOLL_CTL_MOD, fd, &e) != 0) fail("epoll_ctl");
}

std::span<epoll_event> epoll::wait(int milliseconds)
{
    const int n = ::epoll_wait(fd_.value(), ready_, static_cast<int>(std::size(ready_)), milliseconds);
    return {ready_, static_cast<std::size_t>(n > 0 ? n : 0)};
}

} // namespace exeat::bench
