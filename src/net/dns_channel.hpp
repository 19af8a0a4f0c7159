// One c-ares channel whose sockets live on an io_context. Asks for A and AAAA of absolute names. One thread.
#pragma once

#include <exeat/config.hpp>
#include <net/counters.hpp>

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace exeat::net {

struct dns_answer {
    std::vector<ip_address> addresses;
    std::chrono::seconds ttl{0}; // the smallest of the answer, CNAMEs included
    bool failed = false;         // no addresses: error, time-out, no data, too many
    dns_result result = dns_result::answered;
};

class dns_channel {
public:
    using answer_handler = std::function<void(dns_answer)>;

    // Throws std::runtime_error when c-ares cannot be set up or a server address is no address.
    dns_channel(boost::asio::io_context&, const config&);
    ~dns_channel();
    dns_channel(const dns_channel&) = delete;
    dns_channel& operator=(const dns_channel&) = delete;

    // The handler is called once, possibly before ask() returns.
    void ask(const std::string& name, answer_handler);
    void sweep(); // time-outs
    void stop();  // every open question fails

private:
    struct parts;
    std::unique_ptr<parts> parts_;
};

} // namespace exeat::net
