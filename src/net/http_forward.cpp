#include <net/http_forward.hpp>

#include <net/http_exchange.hpp>
#include <net/reach.hpp>
#include <net/refuse.hpp>
#include <net/socket.hpp>
#include <net/worker.hpp>

namespace exeat::net {

namespace {

// An idle upstream that has ended, or has said something unasked, is of no use.
bool fresh(watched_socket& s) noexcept
{
    if (!s.fd || s.broken || s.peer_closed) return false;
    if (!s.readable) return true;
    char unasked = 0;
    return read_some(s, {&unasked, 1}).would_block();
}

bool can_reuse_upstream(tunnel& t) noexcept
{
    const bool same = t.upstream_of && t.upstream_of->to == *t.to && t.upstream_of->rule_slot == t.said.by->slot;
    return same && t.said.by->kind != rule_kind::deny && fresh(t.upstream) &&
           check_address(*t.said.leave, t.peer.address, t.home.own()).has_value();
}

task<verdict> reach_or_reuse(tunnel& t)
{
    const auto said = judge(t);
    if (said != verdict::allowed) co_return said;
    if (can_reuse_upstream(t)) co_return t.home.may_log() ? verdict::allowed : verdict::audit_unavailable;
    t.upstream_of.reset();
    t.upstream.close();
    t.upstream = watched_socket{};
    t.upstream.owner = &t.wake;
    const auto reached = co_await reach(t);
    if (reached == verdict::allowed) t.upstream_of = std::make_unique<upstream_binding>(*t.to, t.said.by->slot);
    co_return reached;
}

task<> refuse(tunnel& t, const request_head& head, verdict why)
{
    auto no = refusal_of(t, why);
    no.json = head.accepts_json;
    no.body_follows = head.body.how != body_framing::kind::none;
    co_await refuse_http(t, std::move(no));
}

} // namespace

task<bool> forward(tunnel& t, const request_head& head)
{
    auto said = co_await reach_or_reuse(t);
    if (said == verdict::allowed && t.cut) said = t.cut->before;
    if (said == verdict::allowed && !t.book->opened()) said = verdict::audit_unavailable;
    if (said != verdict::allowed) {
        co_await refuse(t, head, said);
        co_return false;
    }
    http_exchange exchange{t, head};
    t.held.erase(0, head.bytes); // from here on the views in `head` are gone
    const auto how = co_await exchange.run();
    t.book->ends(how);
    if (!exchange.upstream_reusable()) {
        t.upstream_of.reset();
        t.upstream.close();
    }
    if (exchange.refused() != verdict::allowed) {
        auto no = refusal_of(t, exchange.refused());
        no.json = exchange.client_accepts_json();
        no.body_follows = true;
        if (exchange.response_begun()) t.book->denied(no.why, no.host, no.port);
        else co_await refuse_http(t, std::move(no));
        if (exchange.response_begun()) reset_on_close(t.client_side); // a cut answer must not look like a whole one
        co_return false;
    }
    if (how != ending::finished) reset_on_close(t.client_side);
    co_return how == ending::finished&& exchange.client_reusable() && !t.home.draining() && !t.cut;
}

} // namespace exeat::net
