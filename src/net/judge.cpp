#include <net/judge.hpp>

#include <exeat/check_address.hpp>
#include <net/stage_context.hpp>
#include <net/upload/budget_text.hpp>

#include <algorithm>
#include <cassert>

namespace exeat::net {

namespace {

// What all pods of a service account may use together.
std::uint32_t names_of(const rule& r, std::uint32_t instances) noexcept
{
    return static_cast<std::uint32_t>(std::min(std::uint64_t{r.wildcard_names} * instances, std::uint64_t{limits::name_budget_most}));
}

// Why a check refuses; the details are a constant text, or empty.
struct objection {
    verdict why;
    std::string_view details{};
};

std::optional<objection> check_name_budget(const tunnel& t, const decision& d)
{
    const bool of_requests = d.rule->protocol == protocol::http && t.to->via == approach::tunnel; // its requests are judged and logged
    if (!d.by_wildcard || of_requests) return std::nullopt;
    const auto may = [&](const ip_address& client, std::uint32_t most) {
        return t.home.wildcard_names.take(client, d.rule->id, t.to->host.str(), most, t.home.minute(), t.judged_by.generation);
    };
    const auto as = t.uploads_as(*t.judged_by.rules);
    if (!may(as.client, d.rule->wildcard_names)) return objection{verdict::name_budget};
    if (!as.identity || may(*as.identity, names_of(*d.rule, as.instances))) return std::nullopt;
    return objection{verdict::name_budget, "all pods of this service account share these names, and they are used up"};
}

// The checks that decide() cannot make, because they need the history of this client. They apply the decision to the account.
std::optional<objection> check_client(tunnel& t)
{
    auto& d = t.decision;
    if (is_quarantined(t)) return objection{verdict::quarantined};
    if (const auto no = check_name_budget(t, d)) return no;
    if (t.home.restricted.shuts_out(t.who, d.rule->id)) return objection{verdict::anomaly};
    t.bill->hold_to_decision();
    auto& gate = t.bill->gate;
    using on_spent = upload_gate::on_spent;
    const auto when_spent = gate.when_spent();
    const bool may_be_refused = when_spent == on_spent::cut || when_spent == on_spent::report;
    if (may_be_refused && gate.budget_spent(t.home.minute())) {
        if (when_spent == on_spent::cut) return objection{verdict::budget};
        if (d.reported == verdict::allowed) d.reported = verdict::budget;
    }
    if (gate.refuses_at_new_host() && gate.new_host_spent(t.home.minute())) return objection{verdict::anomaly};
    return std::nullopt;
}

interruption revoked_for(verdict why)
{
    const bool ran_out = why == verdict::expired || why == verdict::policy_expired;
    return ran_out ? interruption{ending::expired, why} : interruption{ending::policy_revoked, verdict::policy_revoked};
}

// Takes a token for each request, whatever its outcome. Returns the limit that the client exceeds, by requests or by refusals.
std::optional<client_rate> over_rate(tunnel& t) noexcept
{
    const auto now = std::chrono::steady_clock::now();
    auto& rates = t.home.rates;
    if (!rates.take(client_rate::requests, t.who.key, now)) return client_rate::requests;
    if (!rates.has(client_rate::refusals, t.who.key, now)) return client_rate::refusals;
    return std::nullopt;
}

checked refuse_for(tunnel& t, client_rate limit)
{
    t.home.count.over_rate[limit].add();
    return refused(verdict::rate);
}

// When a budget is spent, the refusal says which one and until when.
refusal refusal_for(tunnel& t, const objection& no)
{
    if (!no.details.empty()) return refused(no.why, {.details = std::string{no.details}});
    const auto lack = no.why == verdict::budget ? t.bill->gate.budget_lacks(t.home.minute()) : std::nullopt;
    if (!lack) return refused(no.why);
    return refused(no.why, {.details = budget_text(*lack, *t.decision.rule)});
}

// A tunnel has log lines of its own, so its client must have some left. Exchanges can be summed.
bool lacks_lines(const tunnel& t) noexcept
{
    const bool exchanges = t.to->via == approach::http || t.decision.rule->protocol == protocol::http;
    return !exchanges && !t.home.rates.has(client_rate::log_lines, t.who.key, std::chrono::steady_clock::now());
}

} // namespace

bool is_quarantined(const tunnel& t) noexcept { return t.home.restricted.quarantined(t.who, t.decision.rule->name); }

checked judge(tunnel& t)
{
    assert(t.to && t.bill != nullptr);
    if (const auto limit = over_rate(t)) return refuse_for(t, *limit);
    t.take_policy();
    const auto began = std::chrono::steady_clock::now();
    t.decision = decide(t.who, *t.to, *t.judged_by.rules, t.home.wall());
    const auto took = std::chrono::steady_clock::now() - began;
    t.home.count.decision.observe(static_cast<std::uint64_t>(took.count()));
    if (t.decision.allowed() && !permits(t.decision.rule->ech, t.hidden)) t.decision.refuse(verdict::ech);
    if (t.decision.allowed() && lacks_lines(t)) {
        t.decision.refuse(verdict::rate);
        return refuse_for(t, client_rate::log_lines);
    }
    const auto no = t.decision.allowed() ? check_client(t) : std::nullopt;
    if (no) t.decision.refuse(no->why);
    assert(t.decision.allowed() == (t.decision.verdict == verdict::allowed));
    if (!t.decision.allowed()) return refusal_for(t, no.value_or(objection{t.decision.verdict}));
    return checked{};
}

std::optional<interruption> judge_again(tunnel& t)
{
    assert(t.decision.allowed() && t.bill != nullptr);
    const auto protocol_before = t.decision.rule->protocol;
    const auto by = t.home.policy_now();
    t.find_groups();
    auto again = decide(t.who, *t.to, *by.rules, t.home.wall());
    if (!again.allowed()) return revoked_for(again.verdict);
    const bool reached = t.peer.port != 0;
    const bool holds = again.rule->protocol == protocol_before && permits(again.rule->ech, t.hidden) &&
                       (!reached || check_address(*again.approval, t.peer.address, t.home.own()).has_value());
    if (!holds) return revoked_for(verdict::policy_revoked);
    t.decision = std::move(again);
    t.judged_by = by;
    if (is_quarantined(t)) return quarantine_interruption;
    if (t.bill->is_open()) {
        t.bill->hold_to_decision();
        return std::nullopt;
    }
    const auto no = check_client(t);
    if (!no) return std::nullopt;
    return interruption{no->why == verdict::budget ? ending::budget : ending::policy_revoked, no->why};
}

} // namespace exeat::net
