#include <net/sockets/original_destination.hpp>

#include <exeat/check_address.hpp>
#include <net/sockets/socket.hpp>

#include <algorithm>
#include <linux/netfilter_ipv4.h>
#include <netinet/in.h>

namespace exeat::net {

namespace {

constexpr int ip6t_so_original_dst = 80; // linux/netfilter_ipv6/ip6_tables.h, which C++ cannot include

boost::system::result<endpoint> before_redirect(int fd, bool v4) noexcept
{
    sockaddr_storage s{};
    socklen_t size = sizeof s;
    const int said =
        v4 ? ::getsockopt(fd, SOL_IP, SO_ORIGINAL_DST, &s, &size) : ::getsockopt(fd, SOL_IPV6, ip6t_so_original_dst, &s, &size);
    if (said != 0) return boost::system::error_code{errno, boost::system::system_category()};
    return from_kernel(s);
}

} // namespace

boost::system::result<endpoint, verdict> original_destination(int fd, const listener& l, const own_endpoints& own) noexcept
{
    const auto local = local_endpoint(fd);
    if (!local) return verdict::no_orig_dst;
    // With TPROXY the original destination is the socket's own address.
    const auto dialled = l.via == intercept::tproxy ? local : before_redirect(fd, l.address.address.is_v4());
    if (!dialled || dialled->port == 0) return verdict::no_orig_dst;
    if (l.via == intercept::redirect && *dialled == *local) return verdict::no_orig_dst;
    if (std::binary_search(own.addresses.begin(), own.addresses.end(), dialled->address)) return verdict::no_orig_dst;
    return *dialled;
}

} // namespace exeat::net
