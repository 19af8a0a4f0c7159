#include <ops/process/own_addresses.hpp>

#include <exeat/check_address.hpp>
#include <exeat/limits.hpp>
#include <net/sockets/socket.hpp>

#include <algorithm>
#include <boost/asio/bind_allocator.hpp>
#include <boost/asio/buffer.hpp>
#include <cstring>
#include <ifaddrs.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <memory>
#include <system_error>

namespace exeat::ops {

std::vector<ip_address> own_addresses()
{
    ifaddrs* first = nullptr;
    if (::getifaddrs(&first) != 0) throw std::system_error{errno, std::generic_category(), "getifaddrs"};
    const std::unique_ptr<ifaddrs, decltype(&::freeifaddrs)> all{first, &::freeifaddrs};
    std::vector<ip_address> out;
    for (const auto* i = first; i; i = i->ifa_next) {
        const int family = i->ifa_addr ? i->ifa_addr->sa_family : AF_UNSPEC;
        if (family != AF_INET && family != AF_INET6) continue;
        sockaddr_storage s{};
        std::memcpy(&s, i->ifa_addr, family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6));
        out.push_back(net::from_kernel(s).address);
    }
    std::sort(out.begin(), out.end());
    out.erase(std::unique(out.begin(), out.end()), out.end());
    return out;
}

namespace {

int open_netlink()
{
    const int fd = ::socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, NETLINK_ROUTE);
    if (fd < 0) throw std::system_error{errno, std::generic_category(), "netlink socket"};
    sockaddr_nl a{};
    a.nl_family = AF_NETLINK;
    a.nl_groups = RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR;
    if (::bind(fd, reinterpret_cast<const sockaddr*>(&a), sizeof a) == 0) return fd;
    const int error = errno;
    ::close(fd);
    throw std::system_error{error, std::generic_category(), "netlink bind"};
}

} // namespace

own_endpoints endpoints_of(const config& c, std::uint16_t admin_port)
{
    own_endpoints own{own_addresses(), {admin_port}, c.network.site};
    for (const auto& l : c.listeners) own.ports.push_back(l.address.port);
    std::sort(own.ports.begin(), own.ports.end());
    return own;
}

address_watch::address_watch(boost::asio::io_context& io, std::function<void()> changed)
    : netlink_{io, open_netlink()}, again_{io}, changed_{std::move(changed)}
{
    read();
}

void address_watch::stop()
{
    boost::system::error_code ignored;
    netlink_.cancel(ignored);
    again_.cancel();
}

void address_watch::read()
{
    auto heard = [this](boost::system::error_code failed, std::size_t) {
        if (failed == boost::asio::error::operation_aborted) return;
        read();
        report(); // all addresses are read again, so the content of the message and lost messages do not matter
    };
    netlink_.async_read_some(boost::asio::buffer(messages_), boost::asio::bind_allocator(read_memory_.memory(), heard));
}

// Reading the addresses needs a socket and memory; when they are not available, it is tried again later.
void address_watch::report()
{
    try {
        changed_();
    } catch (const std::exception&) {
        again_.expires_after(limits::accept_pause);
        again_.async_wait(boost::asio::bind_allocator(again_memory_.memory(), [this](boost::system::error_code failed) {
            if (!failed) report();
        }));
    }
}

} // namespace exeat::ops
