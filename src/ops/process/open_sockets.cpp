#include <ops/process/open_sockets.hpp>

#include <net/sockets/listening_socket.hpp>
#include <net/sockets/socket.hpp>
#include <ops/process/inherited_sockets.hpp>

#include <cerrno>
#include <fmt/format.h>
#include <stdexcept>
#include <system_error>

namespace exeat::ops {

namespace {

[[noreturn]] void refuse(const endpoint& at, const boost::system::error_code& why)
{
    throw std::runtime_error{listen_error(at, why.value())};
}

std::vector<net::unique_fd> open_listeners(const config& c)
{
    std::vector<net::unique_fd> out;
    for (const auto& l : c.listeners) {
        auto fd = net::open_listener(l);
        if (!fd) refuse(l.address, fd.error());
        out.push_back(std::move(*fd));
    }
    return out;
}

std::vector<net::unique_fd> share(const assigned_sockets& held, const config& c, std::size_t worker)
{
    std::vector<net::unique_fd> out;
    for (std::size_t i = 0; i < c.listeners.size(); ++i) {
        const auto& sockets = held.of_listener[i];
        auto fd = net::own_descriptor(sockets[worker % sockets.size()].value());
        if (!fd) refuse(c.listeners[i].address, fd.error());
        out.push_back(std::move(*fd));
    }
    return out;
}

net::unique_fd open_admin(const config& c, const net::unique_fd& held)
{
    auto fd = held ? net::own_descriptor(held.value()) : net::open_admin_listener(c.admin);
    if (!fd) refuse(c.admin, fd.error());
    return std::move(*fd);
}

} // namespace

std::string listen_error(const endpoint& at, int error)
{
    const auto* fix = "check the address";
    if (error == EADDRINUSE) fix = "stop what holds the port ('ss -ltnp' names it), or choose another one";
    else if (error == EADDRNOTAVAIL) fix = "write an address of this machine ('ip address' lists them), or 0.0.0.0 for all";
    else if (error == EACCES) fix = "ports below 1024 need CAP_NET_BIND_SERVICE, or a socket from systemd; or choose a higher port";
    else if (error == EPERM) fix = "via = \"tproxy\" needs CAP_NET_ADMIN, or a socket from systemd with Transparent=yes";
    else if (error == EAFNOSUPPORT) fix = "this machine has no IPv6; write an IPv4 address";
    return fmt::format("cannot listen on {}: {}; {}", at.to_string(), std::generic_category().message(error), fix);
}

open_sockets open_all(const config& c)
{
    open_sockets out;
    auto passed = inherited_sockets();
    out.inherited = !passed.empty();
    assigned_sockets held;
    if (out.inherited) held = assign(std::move(passed), c);
    out.admin_inherited = bool{held.admin};
    for (std::size_t i = 0; i < c.workers; ++i) out.of_worker.push_back(out.inherited ? share(held, c, i) : open_listeners(c));
    out.admin = open_admin(c, held.admin);
    return out;
}

} // namespace exeat::ops
