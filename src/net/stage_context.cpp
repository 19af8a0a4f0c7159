#include <net/stage_context.hpp>

#include <net/change_or_cut.hpp>
#include <net/judge.hpp>
#include <net/wall_clock.hpp>

#include <utility>

namespace exeat::net {

stage_context::stage_context(std::size_t worker, const worker_shared& shared, boost::asio::io_context& io, audit_ring& ring)
    : settings_{shared.settings}, new_hosts_{shared.new_hosts}, first_contact_{shared.first_contact_of},
      shares_listeners_{shared.shares_listeners}, events{io}, count{*counters_},
      names{io, shared.dns_servers, shared.settings.dns_timeout, *counters_}, spare{shared.spare_descriptors}, pipes{spare},
      clients{client_table_}, audit{worker, ring, shared.audit_healthy, shared.settings.on_audit_failure, shared.rates, *counters_},
      pods{shared.settings.kubernetes}, admitted{shared.admitted}, rates{shared.rates}, wildcard_names{shared.wildcard_names},
      uploads{shared.uploads}, policy_{shared.rules, shared.generation}, own_{shared.own}, wall_{wall_now()}
{}

void stage_context::adopt(policy_snapshot next) noexcept
{
    policy_ = std::move(next);
    next_change_ = policy_.rules->next_change(wall_);
    judge_all_again();
}

void stage_context::advance(wall_time now) noexcept
{
    const bool set_back = now < std::exchange(wall_, now); // the clock was wrong: what had expired is valid again
    if (!set_back && wall_ < next_change_) return;
    next_change_ = policy_.rules->next_change(wall_);
    judge_all_again();
}

void stage_context::judge_all_again() noexcept
{
    for (auto& t : live)
        if (t.bill && t.decision.allowed())
            change_or_cut(t, {ending::policy_revoked, verdict::policy_revoked}, [](tunnel& judged) {
                if (const auto no = judge_again(judged)) judged.interrupt(*no);
            });
}

// Whether the host is new must be known here, before the first byte: the detectors see the tunnel only when its record reaches them.
std::shared_ptr<new_host_budget> stage_context::new_host_budget_of(const client& who, std::string_view host)
{
    if (!first_contact_) return nullptr;
    if (auto held = new_hosts_.find(who.key, host, minute_)) return held;
    const auto met = first_contact_(who.pod ? who.pod->identity : who.key, host);
    if (!met) return nullptr;
    new_hosts_.hold(who.key, host, met->hour_up, minute_, minute_ + std::chrono::ceil<budget_minutes>(met->until));
    return new_hosts_.find(who.key, host, minute_);
}

} // namespace exeat::net
