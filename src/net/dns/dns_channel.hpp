// One c-ares channel whose sockets are on an io_context. Queries A and AAAA of absolute names, each separately and from a port of its own
// (dns_ports.hpp). Reads no file of the machine: the servers are a parameter. One thread.
#pragma once

#include <exeat/endpoint.hpp>
#include <net/dns/dns_halves.hpp>

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <span>
#include <string>

namespace exeat::net {

class dns_channel {
public:
    using answer_handler = std::function<void(dns_half, dns_answer)>; // must not throw: c-ares calls it

    // Asks these servers, at most limits::dns_servers, one after the other and twice if there is time: a question takes no longer than
    // `timeout` with all of them together. Throws std::runtime_error when c-ares cannot be set up or there is no server.
    dns_channel(boost::asio::io_context&, std::span<const endpoint> servers, std::chrono::milliseconds timeout);
    ~dns_channel();
    dns_channel(const dns_channel&) = delete;
    dns_channel& operator=(const dns_channel&) = delete;

    // The handler is called once for each half, possibly before ask() returns. Throws std::bad_alloc; then it is never called.
    void ask(const std::string& name, answer_handler);
    bool idle() const noexcept; // no question is open
    void sweep();               // handles time-outs
    void stop();                // every open question fails

private:
    struct parts;
    std::unique_ptr<parts> parts_;
};

} // namespace exeat::net
