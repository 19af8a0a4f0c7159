// The machine's own addresses, which no client may reach through exeat, updated whenever an interface changes (rtnetlink(7)).
#pragma once

#include <exeat/check_address.hpp>
#include <exeat/config.hpp>
#include <exeat/ip_address.hpp>
#include <exeat/policy.hpp>
#include <net/loop/kept_memory.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <array>
#include <functional>
#include <vector>

namespace exeat::ops {

// In ascending order, without duplicates. Throws std::system_error when the kernel does not report them.
std::vector<ip_address> own_addresses();
// The own addresses, with the ports that exeat listens on.
own_endpoints endpoints_of(const config&, std::uint16_t admin_port);

// Calls `changed` on the io_context's thread whenever the addresses may have changed.
class address_watch {
public:
    address_watch(boost::asio::io_context&, std::function<void()> changed);
    void stop();

private:
    void read();
    void report(); // retries until `changed` does not throw
    boost::asio::posix::stream_descriptor netlink_;
    boost::asio::steady_timer again_;
    net::shared_kept_memory read_memory_, again_memory_;
    std::function<void()> changed_;
    std::array<char, 8192> messages_;
};

} // namespace exeat::ops
