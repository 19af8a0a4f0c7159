// The audit records of an account: the decision and the opening line.
#include <net/account.hpp>

#include <net/refuse.hpp>
#include <net/stage_context.hpp>

#include <cassert>
#include <utility>

namespace exeat::net {

using std::chrono::steady_clock;

namespace {

// A client is not charged for failures of exeat itself, or for refusals because it is already over its rate.
bool costs_a_refusal(verdict v) noexcept
{
    using enum verdict;
    return v != rate && v != overload && v != dns_overload && v != audit_unavailable && v != policy_revoked;
}

} // namespace

audit_record account::line(audit_action action) const
{
    audit_record r;
    r.action = action;
    r.mode = mode_;
    r.id = id_;
    r.policy = tunnel_.judged_by.rules ? tunnel_.judged_by.generation : tunnel_.home.policy_now().generation;
    r.at = std::chrono::system_clock::now();
    r.duration = steady_clock::now() - tunnel_.accepted;
    r.source = tunnel_.who.source;
    r.client = tunnel_.who.key;
    if (tunnel_.who.pod) r.identity = tunnel_.who.pod->identity;
    r.source_port = tunnel_.who.port;
    r.group_slot = tunnel_.group_slot;
    r.rule_slot = rule_slot_;
    r.rule_id = rule_id_;
    r.rule_purpose = purpose_;
    r.upload = upload_;
    r.download = download_;
    r.ech = tunnel_.hidden != hidden_hello::none;
    r.by_wildcard = tunnel_.decision.by_wildcard;
    r.over_new_host = gate.over_new_host();
    if (open_ || tunnel_.decision.allowed()) r.peer = tunnel_.peer.address; // otherwise it may belong to an earlier request
    if (tunnel_.to) {
        r.host = bounded_text{tunnel_.to->host.str()};
        r.port = tunnel_.to->port;
        if (named_itself_) r.server_name = r.host;
    }
    return r;
}

void account::denied(const refusal& no)
{
    assert(no.why);
    if (denied_) return;
    denied_ = true;
    auto& count = tunnel_.home.count;
    if (!open_) count.requests[mode_][0].add();
    count.denied[*no.why][tunnel_.group_slot].add();
    client_.denied.add();
    if (costs_a_refusal(*no.why)) tunnel_.home.rates.spend(client_rate::refusals, tunnel_.who.key, steady_clock::now());
    stand_alone();
    const auto& known = no.facts();
    auto r = line(audit_action::deny);
    r.verdict = *no.why, r.resolved = known.resolved;
    if (known.address != ip_address{}) r.peer = known.address;
    if (const auto* by = known.by != nullptr ? known.by : tunnel_.decision.rule) // the rule that refused, or came closest to allowing
        r.rule_slot = by->slot, r.rule_id = by->id, r.rule_purpose = by->purpose;
    if (!tunnel_.to) r.port = tunnel_.asked_port;
    if (!known.server_name.empty()) r.server_name = bounded_text{known.server_name};
    // After an allowing decision the name was looked up and an upstream perhaps contacted: such a line is never summed.
    if (tunnel_.decision.allowed() && *no.why != verdict::rate) tunnel_.home.audit.log(r, limits::audit_reserve);
    else tunnel_.home.audit.log_denial(r);
}

void account::abandoned()
{
    abandoned_ = true;
    auto& count = tunnel_.home.count;
    count.closed[ending::client_closed].add();
    if (!tunnel_.decision.allowed() || tunnel_.peer.port == 0) return; // no upstream was contacted
    count.requests[mode_][1].add();
    take_names_of_decision();
    named_itself_ = false; // its hello never arrived
    auto open = line(audit_action::open);
    open.verdict = reported_;
    tunnel_.home.audit.log(open, limits::audit_reserve);
    auto close = line(audit_action::close);
    close.ended = ending::client_closed;
    tunnel_.home.audit.log(close, 0);
}

void account::take_names_of_decision() noexcept
{
    const auto& d = tunnel_.decision;
    assert(d.allowed());
    reported_ = d.reported;
    rule_slot_ = d.rule->slot, rule_id_ = d.rule->id, purpose_ = d.rule->purpose;
    named_itself_ = d.rule->protocol == protocol::tls; // its hello was checked
}

// Logs the opening line, unless the exchange is summed: a summed exchange is logged when it ends.
verdict account::open_lines()
{
    auto& audit = tunnel_.home.audit;
    auto r = line(audit_action::open);
    r.verdict = reported_;
    if (!is_exchange()) return audit.log(r, limits::audit_reserve) ? verdict::allowed : verdict::audit_unavailable;
    using enum audit_writer::exchange_lines;
    const auto has = audit.begin_exchange(r);
    summed_ = has == summed;
    if (has == over_rate) tunnel_.home.count.over_rate[client_rate::log_lines].add();
    return has == unavailable ? verdict::audit_unavailable : has == over_rate ? verdict::rate : verdict::allowed;
}

// The exchange has to log something before its end, so it gets lines of its own from now on.
void account::stand_alone()
{
    if (!std::exchange(summed_, false)) return;
    auto open = line(audit_action::open);
    open.verdict = reported_, open.upload = open.download = 0;
    if (!tunnel_.home.audit.log(open, limits::audit_reserve)) tunnel_.home.count.audit_dropped.add();
}

} // namespace exeat::net
