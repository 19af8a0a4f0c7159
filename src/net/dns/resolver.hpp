// Resolves names through c-ares, for one worker: absolute names only, no search suffixes, no hosts file, answers cached for their TTL
// within bounds, one question in flight per name. It looks up only what tunnel::decision approves, so that a name that is not allowed is
// never looked up, and returns only checked addresses. One worker's thread.
//
// One bad address in an answer refuses the whole answer (law 3). An answer is what has arrived by the time it is used: usually A and AAAA
// together; when one of them is missing, the other one by itself after 50 ms (dns_halves.hpp), and all its addresses are checked before one
// is dialled. When the late half arrives, it becomes part of the answer: if it is bad, the whole answer is refused, and no address of the
// first half is dialled again while the answer is cached. Connections made in between used checked addresses, and continue.
#pragma once

#include <exeat/check_address.hpp>
#include <exeat/endpoint.hpp>
#include <exeat/policy.hpp>
#include <net/counters.hpp>
#include <net/loop/task.hpp>
#include <net/refuse.hpp>

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <memory>
#include <span>
#include <vector>

namespace exeat::net {

struct tunnel;

class resolver {
public:
    resolver(boost::asio::io_context&, std::span<const endpoint> servers, std::chrono::milliseconds timeout, counters&);
    ~resolver();
    resolver(const resolver&) = delete;
    resolver& operator=(const resolver&) = delete;

    using addresses = std::vector<checked_address>;
    // The addresses of the tunnel's approved target; waits on the tunnel. Errors: dns_failure, dns_overload, those of check_answer (one bad
    // address refuses all), and the verdict of an interruption.
    task<or_refusal<addresses>> resolve(tunnel&);
    // Asks these servers from the next sweep on, or once an earlier change is complete. Questions in flight stay with the previous servers.
    void use(std::vector<endpoint> servers) noexcept;
    // Call once per sweep: handles the time-outs of questions in flight. Throws std::exception when servers cannot be changed yet; the next
    // call tries again.
    void sweep();
    // Removes the sockets of c-ares from the io_context, so that it can run out of work.
    void stop();

private:
    struct parts;
    std::unique_ptr<parts> parts_;
};

} // namespace exeat::net
