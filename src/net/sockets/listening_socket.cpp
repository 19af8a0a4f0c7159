#include <net/sockets/listening_socket.hpp>

#include <net/sockets/socket.hpp>

#include <cerrno>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

namespace exeat::net {

namespace {

std::optional<int> option(int fd, int level, int name) noexcept
{
    int value = 0;
    socklen_t size = sizeof value;
    if (::getsockopt(fd, level, name, &value, &size) != 0) return std::nullopt;
    return value;
}

bool is_on(int fd, int level, int name) noexcept { return option(fd, level, name).value_or(0) != 0; }

boost::system::error_code last_error() noexcept { return {errno, boost::system::system_category()}; }

} // namespace

boost::system::result<listening_socket, std::string> look_at_socket(int fd)
{
    const auto type = option(fd, SOL_SOCKET, SO_TYPE);
    if (!type) return std::string{"is not a socket"};
    const auto family = option(fd, SOL_SOCKET, SO_DOMAIN);
    if (family != AF_INET && family != AF_INET6) return std::string{"is neither IPv4 nor IPv6; write ListenStream=ADDRESS:PORT"};
    if (type != SOCK_STREAM) return std::string{"is not a stream socket; write ListenStream="};
    if (option(fd, SOL_SOCKET, SO_PROTOCOL) != IPPROTO_TCP) return std::string{"is not TCP; remove SocketProtocol="};
    if (!is_on(fd, SOL_SOCKET, SO_ACCEPTCONN)) return std::string{"does not listen; write Accept=no"};
    const auto at = local_endpoint(fd);
    if (!at) return "has no address: " + at.error().message();
    listening_socket s;
    s.at = *at;
    s.reuse_port = is_on(fd, SOL_SOCKET, SO_REUSEPORT);
    const bool v6 = family == AF_INET6;
    s.transparent = is_on(fd, v6 ? IPPROTO_IPV6 : IPPROTO_IP, v6 ? IPV6_TRANSPARENT : IP_TRANSPARENT);
    s.v6_only = v6 && is_on(fd, IPPROTO_IPV6, IPV6_V6ONLY);
    return s;
}

std::optional<std::string> objection_to(const listening_socket& s, const listener& l)
{
    const bool wanted = l.mode == listen_mode::transparent && l.via == intercept::tproxy;
    if (!l.address.address.is_v4() && !s.v6_only) return "takes IPv4 as well; write BindIPv6Only=ipv6-only";
    if (wanted && !s.transparent) return "is not for via = tproxy; write Transparent=yes";
    if (!wanted && s.transparent) return "takes what is addressed to others (IP_TRANSPARENT); remove Transparent=";
    return std::nullopt;
}

boost::system::result<unique_fd> own_descriptor(int fd)
{
    unique_fd own{::fcntl(fd, F_DUPFD_CLOEXEC, 0)};
    const int on = 1;
    if (!own || ::setsockopt(own.value(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0) return last_error();
    const int flags = ::fcntl(own.value(), F_GETFL);
    if (flags < 0 || ::fcntl(own.value(), F_SETFL, flags | O_NONBLOCK) != 0) return last_error();
    return own;
}

} // namespace exeat::net
