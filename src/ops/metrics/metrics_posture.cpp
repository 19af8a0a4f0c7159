// The configuration of this process and whether it is ready for traffic. Alerts compare these values over time and between replicas.
#include <net/wall_clock.hpp>
#include <ops/metrics/metric_families.hpp>
#include <ops/metrics/readiness.hpp>

#include <algorithm>

namespace exeat::ops {

namespace {

void collect_quarantine(families& all, const quarantine_watch& from)
{
    const auto is = from.now();
    const auto count = [&](auto which) { return static_cast<std::uint64_t>(std::count_if(is->begin(), is->end(), which)); };
    auto& held =
        new_gauge(all, "quarantines", "What an analyst has quarantined: clients (or networks of them), service accounts, entries.");
    add(held, count([](const quarantine& q) { return q.client.has_value(); }), {{"kind", "client"}});
    add(held, count([](const quarantine& q) { return !q.service_account.empty(); }), {{"kind", "service_account"}});
    add(held, count([](const quarantine& q) { return !q.entry.empty(); }), {{"kind", "entry"}});
    add(new_gauge(all, "quarantine_readable", "0: the file that says what is quarantined cannot be read, and what was stays so."),
        from.error().empty() ? 1.0 : 0.0);
}

} // namespace

void collect_posture(families& all, const metric_sources& from)
{
    const auto& settings = from.settings;
    const auto said =
        judge_readiness(from.policy.now(), {from.audit.healthy(), from.audit.last_error(), settings.on_audit_failure}, net::wall_now());
    add(new_gauge(all, "ready", "1: this process should get traffic; 0: /readyz says why not."), said.ready() ? 1.0 : 0.0);
    add(new_gauge(all, "config_info", "The exeat.toml that was read at the start; always 1."), 1.0, {{"sha256", from.config_sha256}});
    add(new_gauge(all, "policy_approvals_required", "How many different keys must have signed the allowlist; 0: none."),
        std::uint64_t{settings.approvals});
    add(new_gauge(all, "policy_trusted_keys", "Keys whose signatures of the allowlist count."),
        std::uint64_t{settings.trusted_keys.size()});
    collect_quarantine(all, from.quarantine);
}

} // namespace exeat::ops
