// How a refusal reaches the client: an HTTP reply that says why and how to ask for access, or a fatal TLS alert. Stages return refusals;
// refuse() alone has them counted, logged and said. Worker's thread.
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

// What is known of a refusal beyond its verdict.
struct refusal_facts {
    std::string server_name{};                  // that the client's hello named, where that is what was wrong
    std::string details{};                      // for people, behind the explanation: what exactly was wrong, or what to do about it
    const rule* by = nullptr;                   // that refused, where it is not the decision's; of the list that made the decision
    ip_address address{};                       // that was refused; all zero: none
    dns_result resolved = dns_result::answered; // dns_failure: how the look-up ended
};

// Why a stage does not go on. Small, as the frames of all stages that wait have room for one.
struct refusal {
    std::optional<verdict> why{}; // none: the client is gone, and nobody is left to answer
    bool body_follows = false;    // the client may still be sending: read some of it, so that the reply is not lost to a reset
    bool answer_begun = false;    // the client has seen part of an answer, which must not look whole: it gets a reset
    std::shared_ptr<const refusal_facts> more{}; // null: nothing more is known

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

// What stages return. checked: nothing but that the tunnel may go on. T is never bool: a result turns into one by itself, and a refusal
// that is copied as const into another result would be `false` taken for a value.
template <class T>
requires(!std::is_arithmetic_v<T>) using or_refusal = boost::system::result<T, refusal>;
using checked = or_refusal<void>;

// Tells the tunnel's account, and the client if it is still there.
task<> refuse(tunnel&, refusal);

// Ends exeat's side, and reads and drops what the client still sends, so that closing does not reset the connection under the last answer.
// `patient`: waits for it, for limits::linger_time at most.
task<> linger(tunnel&, bool patient);

// What the kernel took of an upload is counted, and a reset throws away what it has not sent yet: so that the counts say what left, it may
// send that before an upstream that was cut is reset. An upstream that takes nothing for limits::linger_time does not get it.
task<> send_out(tunnel&);

// "host:port", an IPv6 address in brackets.
std::string place_text(std::string_view host, std::uint16_t port);

// The whole HTTP reply.
struct refused_request {
    verdict why;
    std::string_view host; // canonical; empty where none could be read
    std::uint16_t port = 0;
    bool json = false;          // the client accepts application/json
    std::string_view details{}; // behind the explanation
};
std::string refusal_reply(const refused_request&, std::uint64_t id, std::uint64_t serial, std::string_view help);

} // namespace exeat::net
