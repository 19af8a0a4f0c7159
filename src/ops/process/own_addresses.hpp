// The machine's own addresses, which no client may reach through exeat, kept up to date as interfaces come and go (rtnetlink(7)).
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

// Ascending, each once. Throws std::system_error when the kernel does not say.
std::vector<ip_address> own_addresses();
// These, with the ports that exeat listens on there.
own_endpoints endpoints_of(const config&, std::uint16_t admin_port);

// Those, with the ports of our own sockets.
own_endpoints endpoints_of(const config&, std::uint16_t admin_port);

// Calls back on the io_context's thread whenever they may have changed.
class address_watch {
public:
    address_watch(boost::asio::io_context&, std::function<void()> changed);
    void stop();

private:
    void read();
    void report(); // again and again, until `changed` does not throw
    boost::asio::posix::stream_descriptor netlink_;
    boost::asio::steady_timer again_;
    net::shared_kept_memory read_memory_, again_memory_;
    std::function<void()> changed_;
    std::array<char, 8192> messages_;
};

} // namespace exeat::ops
