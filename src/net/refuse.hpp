// How a refusal reaches the client: an HTTP reply that gives the reason and how to request access, or a fatal TLS alert. Stages return
// refusals; only refuse() counts, logs and sends them. Worker's thread.
#pragma once

#include <exeat/check_address.hpp>
#include <exeat/policy.hpp>
#include <net/counters.hpp>
#include <net/loop/task.hpp>

#include <boost/system/result.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace exeat::net {

struct tunnel;

// The facts of a refusal beyond its verdict.
struct refusal_facts {
    std::string server_name{};                  // named by the client's hello, when that name was wrong
    std::string details{};                      // for people, after the explanation: what exactly was wrong, or what to do about it
    const rule* by = nullptr;                   // the rule that refused, if not the decision's; from the list that made the decision
    ip_address address{};                       // the refused address; all zero: none
    dns_result resolved = dns_result::answered; // dns_failure: how the look-up ended
};

// Why a stage stops. Small, because the frame of every waiting stage contains one.
struct refusal {
    std::optional<verdict> why{}; // none: the client is gone and gets no answer
    bool body_follows = false;    // the client may still be sending: read some of it, so that the reply is not lost to a reset
    bool answer_begun = false;    // the client has part of an answer, which must not look complete: the connection is reset
    std::shared_ptr<const refusal_facts> more{}; // null: no further facts

    const refusal_facts& facts() const noexcept
    {
        static const refusal_facts none;
        return more ? *more : none;
    }
    void know(refusal_facts f) { more = std::make_shared<const refusal_facts>(std::move(f)); }
};
inline refusal client_gone() { return {}; }
inline refusal refused(verdict why) { return {.why = why}; }
inline refusal refused(verdict why, refusal_facts f)
{
    auto no = refused(why);
    no.know(std::move(f));
    return no;
}
inline refusal refused(const address_refusal& no)
{
    return refused(no.why, {.details = std::string{no.advice}, .by = no.by, .address = no.address});
}

// The result of a stage. checked has no value: the tunnel may continue. T is never bool: results convert to bool, so a const result with a
// refusal, copied into another result, would become the value `false`.
template <class T>
requires(!std::is_arithmetic_v<T>) using or_refusal = boost::system::result<T, refusal>;
using checked = or_refusal<void>;

// Reports the refusal to the tunnel's account, and to the client if it is still connected.
task<> refuse(tunnel&, refusal);

// Shuts down exeat's side, then reads and drops what the client still sends, so that closing does not reset the connection before the
// client has the last answer. `patient`: waits for that input, for at most limits::linger_time.
task<> linger(tunnel&, bool patient);

// Upload is counted when the kernel accepts it, but a reset discards what the kernel has not sent yet. So that the counts are true, this
// gives the kernel time to send it before a cut upstream is reset, at most limits::linger_time.
task<> send_out(tunnel&);

// "host:port", an IPv6 address in brackets.
std::string place_text(std::string_view host, std::uint16_t port);

// The input of refusal_reply(), which returns the whole HTTP reply.
struct refused_request {
    verdict why;
    std::string_view host; // canonical; empty: none could be read
    std::uint16_t port = 0;
    bool json = false;          // the client accepts application/json
    std::string_view details{}; // appended to the explanation
};
std::string refusal_reply(const refused_request&, std::uint64_t id, std::uint64_t serial, std::string_view help);

} // namespace exeat::net
