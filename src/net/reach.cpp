#include <net/reach.hpp>

#include <net/connect.hpp>
#include <net/worker.hpp>

namespace exeat::net {

namespace {

bool may_use_name(tunnel& t, std::chrono::steady_clock::time_point now)
{
    const auto& by = *t.said.by;
    return t.home.wildcard_names.take(t.who.source, by.slot, t.to->host.str(), by.wildcard_names,
                                      std::chrono::floor<std::chrono::seconds>(now.time_since_epoch()));
}

} // namespace

verdict judge(tunnel& t)
{
    const auto began = std::chrono::steady_clock::now();
    t.said = decide(t.who, *t.to, *t.rules, t.home.wall());
    const auto took = std::chrono::steady_clock::now() - began;
    t.home.count.decision.observe(static_cast<std::uint64_t>(took.count()));
    if (t.said.by_wildcard && t.said.allowed() && !may_use_name(t, began)) {
        t.said.said = verdict::name_budget;
        t.said.leave.reset();
    }
    if (t.said.allowed() && t.home.has_shut_out(t.who.source, t.said.by->slot)) {
        t.said.said = verdict::anomaly;
        t.said.leave.reset();
    }
    if (t.said.allowed() && t.book->budget_refuses(t.said.reported)) {
        t.said.said = verdict::budget;
        t.said.leave.reset();
    }
    if (t.said.allowed() && t.book->new_host_refuses()) {
        t.said.said = verdict::anomaly;
        t.said.leave.reset();
    }
    return t.said.said;
}

task<verdict> reach(tunnel& t)
{
    t.peer = {};
    if (!t.home.may_log()) co_return verdict::audit_unavailable;
    auto peers = co_await t.home.names.resolve(t);
    if (!peers) co_return peers.error();
    const auto reached = co_await connect(t, std::move(*peers), t.to->port);
    if (reached != verdict::allowed) co_return reached;
    if (t.cut) co_return t.cut->before;
    // The policy or this machine's addresses may have changed while we waited.
    const auto still = check_address(*t.said.leave, t.peer.address, t.home.own());
    co_return still ? verdict::allowed : still.error();
}

} // namespace exeat::net
