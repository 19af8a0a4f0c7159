#include <net/http/http_forward.hpp>

#include <exeat/check_address.hpp>
#include <net/http/http_exchange.hpp>
#include <net/judge.hpp>
#include <net/reach.hpp>
#include <net/sockets/socket.hpp>
#include <net/stage_context.hpp>

#include <algorithm>
#include <array>
#include <cassert>
#include <utility>

namespace exeat::net {

namespace {

// An idle upstream that has closed, or has sent something unrequested, cannot be reused. This reads the socket, not the flags: between two
// pipelined requests no events are processed.
bool fresh(watched_socket& s) noexcept
{
    if (!s.fd || s.broken || s.peer_closed) return false;
    char unasked = 0;
    return read_some(s, {&unasked, 1}).would_block();
}

bool can_reuse_upstream(tunnel& t) noexcept
{
    const auto& d = t.decision;
    const bool same = t.upstream_of && t.upstream_of->to == *t.to && t.upstream_of->rule_id == d.rule->id;
    return same && fresh(t.upstream) && check_address(*d.approval, t.peer.address, t.home.own()).has_value();
}

task<checked> reach_or_reuse(tunnel& t, bool& reused)
{
    reused = can_reuse_upstream(t);
    if (reused) {
        if (!t.home.audit.may_log()) co_return refused(verdict::audit_unavailable);
        co_return checked{};
    }
    t.upstream_of.reset();
    t.upstream.close();
    t.upstream = watched_socket{};
    t.upstream.owner = &t.wake;
    const auto reached = co_await reach(t);
    if (reached) t.upstream_of = std::make_unique<upstream_binding>(*t.to, t.decision.rule->id);
    co_return reached;
}

// From the request's head to an upstream that may receive it.
task<checked> open_exchange(tunnel& t, bool& reused)
{
    auto stage = judge(t);
    if (stage) stage = co_await reach_or_reuse(t, reused);
    if (stage && t.cut) stage = refused(t.cut->before);
    if (!stage) co_return stage;
    const auto may = t.bill->opened();
    if (may != verdict::allowed) co_return refused(may);
    co_return stage;
}

// Whether the request can be sent twice: its method is idempotent (RFC 9110 section 9.2.2), and it has no body.
bool repeatable(const request_head& r) noexcept
{
    constexpr std::array<std::string_view, 6> idempotent{"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"};
    const bool bare = r.body.how == body_framing::kind::none || (r.body.how == body_framing::kind::length && r.body.length == 0);
    return bare && std::find(idempotent.begin(), idempotent.end(), r.method) != idempotent.end();
}

// The upstream closed the kept connection before it read the request. A request that can be sent twice is sent again; otherwise the client
// sees what it would see without a proxy, and can decide itself.
after_exchange meet_end(tunnel& t, const http_exchange& ended, bool again)
{
    t.bill->ends(ending::upstream_reset);
    t.upstream.close();
    if (again) return after_exchange::send_again;
    if (ended.upstream_reset()) reset_on_close(t.client_side);
    return after_exchange::over;
}

// After a cut the kernel must not keep bytes to deliver later: with an orderly close they would wait for an upstream that reads an hour
// later.
task<> let_go(tunnel& t)
{
    if (t.cut) {
        co_await send_out(t);
        reset_on_close(t.upstream);
    }
    t.upstream.close();
}

} // namespace

task<or_refusal<after_exchange>> forward(tunnel& t, const request_head& head)
{
    bool reused = false;
    const auto stage = co_await open_exchange(t, reused);
    if (!stage) {
        auto no = stage.error();
        no.body_follows = head.body.how != body_framing::kind::none;
        co_return no;
    }
    http_exchange exchange{t, head};
    const bool again = reused && repeatable(head);
    if (!again) t.held.erase(0, head.bytes);            // from here on the views in `head` are invalid
    auto bound = std::exchange(t.upstream_of, nullptr); // no request may use the connection until this one is over
    const auto how = co_await exchange.run();
    if (reused && exchange.unheard()) co_return meet_end(t, exchange, again);
    if (again) t.held.erase(0, head.bytes);
    t.bill->ends(how);
    const bool reusable = how == ending::finished && exchange.upstream_reusable();
    if (reusable) t.upstream_of = std::move(bound);
    else co_await let_go(t);
    assert(!reusable || exchange.refused() == verdict::allowed);
    if (exchange.refused() != verdict::allowed)
        co_return refusal{.why = exchange.refused(), .body_follows = true, .answer_begun = exchange.response_begun()};
    if (how != ending::finished) reset_on_close(t.client_side);
    else if (!exchange.request_read()) co_await linger(t, true); // an early answer: the rest of the body is dropped
    const bool goes_on = how == ending::finished && exchange.client_reusable() && !t.home.draining() && !t.cut;
    co_return goes_on ? after_exchange::next_request : after_exchange::over;
}

} // namespace exeat::net
