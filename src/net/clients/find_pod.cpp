#include <net/clients/find_pod.hpp>

#include <net/change_or_cut.hpp>
#include <net/judge.hpp>
#include <net/stage_context.hpp>

namespace exeat::net {

namespace {

bool found(tunnel& t)
{
    auto p = t.home.pods.find(t.who.source);
    if (!p) return false;
    t.who.belongs_to(std::move(p));
    return true;
}

refusal unknown(const tunnel& t)
{
    const auto address = t.who.source.to_string();
    if (t.home.pods.source() == pod_source::current) return refused(verdict::pod_unknown, {.details = "the address is " + address});
    return refused(verdict::identity_unavailable, {.details = "the address is " + address});
}

} // namespace

task<checked> find_pod(tunnel& t)
{
    if (found(t)) co_return checked{};
    if (!t.home.pods.has_room(t.who.source)) co_return refused(verdict::overload);
    t.set_deadline(t.home.settings().kubernetes.wait);
    const pod_view::place waiting{t.home.pods, t.wake, t.who.source};
    while (!found(t)) {
        if (t.cut) co_return refused(t.cut->before);
        if (t.client_side.broken) co_return client_gone();
        if (waiting.lost()) co_return refused(verdict::overload);
        if (t.deadline_passed()) co_return unknown(t);
        co_await t.event();
    }
    t.clear_deadline();
    co_return checked{};
}

void check_pod(tunnel& t) noexcept
{
    if (!t.who.pod) return; // no pod, or one that is still waited for
    const auto* now = t.home.pods.holder(t.who.source);
    if (now == t.who.pod.get()) return;
    if (now == nullptr || now->uid != t.who.pod->uid) return t.interrupt({ending::policy_revoked, verdict::pod_unknown});
    const auto p = t.home.pods.find(t.who.source);
    if (p) t.who.pod = p;
}

} // namespace exeat::net
