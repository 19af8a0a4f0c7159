#include <ops/process/open_sockets.hpp>

#include <net/listening_socket.hpp>
#include <net/socket.hpp>
#include <ops/process/inherited_sockets.hpp>

#include <fmt/format.h>
#include <stdexcept>

namespace exeat::ops {

namespace {

[[noreturn]] void refuse(const endpoint& at, std::string_view what, const boost::system::error_code& why)
{
    throw std::runtime_error{fmt::format("cannot listen on {}{}: {}", at.to_string(), what, why.message())};
}

std::vector<net::unique_fd> open_listeners(const config& c)
{
    std::vector<net::unique_fd> out;
    for (const auto& l : c.listeners) {
        auto fd = net::open_listener(l);
        if (!fd) refuse(l.address, "", fd.error());
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
        if (!fd) refuse(c.listeners[i].address, "", fd.error());
        out.push_back(std::move(*fd));
    }
    return out;
}

net::unique_fd open_admin(const config& c, const net::unique_fd& held)
{
    auto fd = held ? net::own_descriptor(held.value()) : net::open_admin_listener(c.admin);
    if (!fd) refuse(c.admin, " (admin)", fd.error());
    return std::move(*fd);
}

} // namespace

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
