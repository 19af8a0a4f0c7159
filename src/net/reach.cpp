#include <net/reach.hpp>

#include <exeat/check_address.hpp>
#include <net/connect.hpp>
#include <net/stage_context.hpp>

namespace exeat::net {

task<checked> reach(tunnel& t)
{
    t.peer = {};
    if (!t.home.audit.may_log()) co_return refused(verdict::audit_unavailable);
    auto peers = co_await t.home.names.resolve(t);
    if (!peers) co_return peers.error();
    const auto reached = co_await connect(t, std::move(*peers), t.to->port);
    if (t.cut) co_return refused(t.cut->before);
    if (reached != verdict::allowed) co_return refused(reached);
    // The list or this machine's addresses may have changed during the wait.
    const auto still = check_address(*t.decision.approval, t.peer.address, t.home.own());
    if (!still) co_return refused(still.error());
    co_return checked{};
}

} // namespace exeat::net
