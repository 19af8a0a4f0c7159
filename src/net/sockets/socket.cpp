#include <net/sockets/socket.hpp>

#include <exeat/limits.hpp>

#include <cerrno>
#include <cstring>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>

namespace exeat::net {

namespace {

boost::system::error_code last_error() noexcept { return {errno, boost::system::system_category()}; }

bool turn_on(int fd, int level, int option) noexcept
{
    const int on = 1;
    return ::setsockopt(fd, level, option, &on, sizeof on) == 0;
}

io_result failure() noexcept
{
    if (errno == EAGAIN || errno == EWOULDBLOCK) return {};
    return {io_result::how::failed, 0, errno};
}

} // namespace

io_result read_some(watched_socket& s, std::span<char> into) noexcept
{
    ssize_t n = 0;
    do n = ::recv(s.fd.value(), into.data(), into.size(), 0);
    while (n < 0 && errno == EINTR);
    if (n < 0) {
        const auto r = failure();
        if (r.would_block()) s.readable = s.urgent = false;
        return r;
    }
    if (n == 0) return {io_result::how::ended, 0, 0};
    const auto got = static_cast<std::size_t>(n);
    if (got < into.size() && s.watched && !s.peer_closed && !s.urgent) s.readable = false; // drained; the next bytes are an edge
    return {io_result::how::moved, got, 0};
}

namespace {

io_result write_with(watched_socket& s, std::string_view bytes, int flags) noexcept
{
    ssize_t n = 0;
    do n = ::send(s.fd.value(), bytes.data(), bytes.size(), MSG_NOSIGNAL | flags);
    while (n < 0 && errno == EINTR);
    if (n < 0) {
        const auto r = failure();
        if (r.would_block()) s.writable = false;
        return r;
    }
    const auto sent = static_cast<std::size_t>(n);
    if (sent < bytes.size() && s.watched) s.writable = false;
    return {io_result::how::moved, sent, 0};
}

} // namespace

io_result write_some(watched_socket& s, std::string_view bytes) noexcept { return write_with(s, bytes, 0); }
io_result write_last(watched_socket& s, std::string_view bytes) noexcept { return write_with(s, bytes, MSG_MORE); }

void finish_writing(watched_socket& s) noexcept { ::shutdown(s.fd.value(), SHUT_WR); }

void reset_on_close(watched_socket& s) noexcept
{
    const linger now{1, 0};
    ::setsockopt(s.fd.value(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
}

std::size_t unsent(const watched_socket& s) noexcept
{
    int octets = 0;
    return ::ioctl(s.fd.value(), SIOCOUTQNSD, &octets) == 0 ? static_cast<std::size_t>(octets) : 0;
}

socket_address to_kernel(const endpoint& e) noexcept
{
    socket_address a;
    if (e.address.is_v4()) {
        auto& in = reinterpret_cast<sockaddr_in&>(a.storage);
        in.sin_family = AF_INET;
        in.sin_port = htons(e.port);
        in.sin_addr.s_addr = htonl(e.address.as_v4());
        a.size = sizeof in;
        return a;
    }
    auto& in6 = reinterpret_cast<sockaddr_in6&>(a.storage);
    in6.sin6_family = AF_INET6;
    in6.sin6_port = htons(e.port);
    std::memcpy(&in6.sin6_addr, e.address.octets.data(), e.address.octets.size());
    a.size = sizeof in6;
    return a;
}

endpoint from_kernel(const sockaddr_storage& s) noexcept
{
    if (s.ss_family == AF_INET) {
        const auto& in = reinterpret_cast<const sockaddr_in&>(s);
        return {ip_address::v4(ntohl(in.sin_addr.s_addr)), ntohs(in.sin_port)};
    }
    const auto& in6 = reinterpret_cast<const sockaddr_in6&>(s);
    endpoint e;
    std::memcpy(e.address.octets.data(), &in6.sin6_addr, e.address.octets.size());
    e.port = ntohs(in6.sin6_port);
    return e;
}

boost::system::result<endpoint> local_endpoint(int fd) noexcept
{
    sockaddr_storage s{};
    socklen_t size = sizeof s;
    if (::getsockname(fd, reinterpret_cast<sockaddr*>(&s), &size) != 0) return last_error();
    return from_kernel(s);
}

namespace {

// One family per listener: "[::]:3128" does not accept IPv4 as well, so that exactly the configured address is open.
boost::system::result<unique_fd> new_listener(bool v4)
{
    unique_fd fd{::socket(v4 ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
    if (!fd) return last_error();
    if (!v4 && !turn_on(fd.value(), IPPROTO_IPV6, IPV6_V6ONLY)) return last_error();
    if (!turn_on(fd.value(), SOL_SOCKET, SO_REUSEADDR)) return last_error();
    if (!turn_on(fd.value(), IPPROTO_TCP, TCP_NODELAY)) return last_error(); // inherited by accepted sockets
    return fd;
}

bool begin_listening(int fd, const endpoint& at) noexcept
{
    const auto a = to_kernel(at);
    return ::bind(fd, a.data(), a.size) == 0 && ::listen(fd, limits::listen_backlog) == 0;
}

} // namespace

boost::system::result<unique_fd> open_listener(const listener& l)
{
    const bool v4 = l.address.address.is_v4();
    auto fd = new_listener(v4);
    if (!fd) return fd;
    if (!turn_on(fd->value(), SOL_SOCKET, SO_REUSEPORT)) return last_error();
    const bool transparent = l.mode == listen_mode::transparent && l.via == intercept::tproxy;
    if (transparent && !turn_on(fd->value(), v4 ? IPPROTO_IP : IPPROTO_IPV6, v4 ? IP_TRANSPARENT : IPV6_TRANSPARENT)) return last_error();
    if (!begin_listening(fd->value(), l.address)) return last_error();
    return fd;
}

boost::system::result<unique_fd> open_admin_listener(const endpoint& at)
{
    auto fd = new_listener(at.address.is_v4());
    if (fd && !begin_listening(fd->value(), at)) return last_error();
    return fd;
}

boost::system::result<unique_fd> begin_connect(const endpoint& to) noexcept
{
    unique_fd fd{::socket(to.address.is_v4() ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
    if (!fd) return last_error();
    turn_on(fd.value(), IPPROTO_TCP, TCP_NODELAY);
    const auto a = to_kernel(to);
    if (::connect(fd.value(), a.data(), a.size) != 0 && errno != EINPROGRESS) return last_error();
    return fd;
}

int connect_error(int fd) noexcept
{
    int error = 0;
    socklen_t size = sizeof error;
    return ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 ? error : errno;
}

} // namespace exeat::net
