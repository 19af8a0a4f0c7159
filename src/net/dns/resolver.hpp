// Names to addresses through c-ares, for one worker: absolute names only, no search suffixes, no hosts file, answers cached for their TTL
// within bounds, one question in flight per name. It asks for nothing but what tunnel::decision approves, so that a name that is not
// allowed is never looked up, and hands out nothing but checked addresses. One worker's thread.
//
// One bad address in an answer refuses the whole answer (law 3). An answer is what has come by the time it is used: usually A and AAAA
// together; where one of them stays out, the other one by itself after 50 ms (dns_halves.hpp), and all of its addresses are checked before
// one is dialled. When the late half comes it is a part of the answer from then on: where it is bad the whole answer is refused, and an
// address of the first half is not dialled again while the answer is believed. What was dialled in between had been checked, and goes on.
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
    // Of the tunnel's approved target; waits on the tunnel. Errors: dns_failure, dns_overload, what check_answer says (one bad address
    // refuses all), and what interrupted it.
    task<or_refusal<addresses>> resolve(tunnel&);
    // Asks these servers from the next sweep on, or as soon as an earlier change is through. Questions that are in flight end where they
    // were asked.
    void use(std::vector<endpoint> servers) noexcept;
    // Once per sweep: time-outs of questions in flight. Throws std::exception where servers cannot be changed yet; the next one tries
    // again.
    void sweep();
    // The sockets of c-ares leave the io_context, so that it can run out of work.
    void stop();

private:
    struct parts;
    std::unique_ptr<parts> parts_;
};

} // namespace exeat::net
