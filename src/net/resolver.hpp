// Names to addresses through c-ares, for one worker: absolute names only, no search suffixes, no hosts file, answers cached for their TTL
// within bounds, one question in flight per name. It asks for nothing but what tunnel::said approves, so that a name that is not allowed is
// never looked up, and hands out nothing but checked addresses. One worker's thread.
#pragma once

#include <exeat/config.hpp>
#include <exeat/policy.hpp>
#include <net/counters.hpp>
#include <net/task.hpp>

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <memory>
#include <span>
#include <vector>

namespace exeat::net {

struct tunnel;

class resolver {
public:
    resolver(boost::asio::io_context&, const config&, counters&);
    ~resolver();
    resolver(const resolver&) = delete;
    resolver& operator=(const resolver&) = delete;

    using addresses = std::vector<checked_address>;
    // Of the tunnel's approved target; waits on the tunnel. Errors: dns_failure, dns_overload, what check_address says (one bad address
    // refuses all), and what interrupted it.
    task<boost::system::result<addresses, verdict>> resolve(tunnel&);
    // Once per sweep: time-outs of questions in flight.
    void sweep();
    // The sockets of c-ares leave the io_context, so that it can run out of work.
    void stop();

private:
    struct parts;
    std::unique_ptr<parts> parts_;
};

} // namespace exeat::net
