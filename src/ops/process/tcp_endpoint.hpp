// Converts exeat's endpoints to Asio's and back. Pure; any thread.
#pragma once

#include <exeat/config.hpp>

#include <boost/asio/ip/tcp.hpp>

namespace exeat::ops {

inline boost::asio::ip::tcp::endpoint to_tcp(const endpoint& e)
{
    namespace ip = boost::asio::ip;
    if (e.address.is_v4()) return {ip::address_v4{e.address.as_v4()}, e.port};
    return {ip::address_v6{e.address.octets}, e.port};
}

inline endpoint from_tcp(const boost::asio::ip::tcp::endpoint& e)
{
    if (e.address().is_v4()) return {ip_address::v4(e.address().to_v4().to_uint()), e.port()};
    return {ip_address{e.address().to_v6().to_bytes()}, e.port()};
}

} // namespace exeat::ops
