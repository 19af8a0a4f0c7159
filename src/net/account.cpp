#include <net/account.hpp>

#include <net/refuse.hpp>
#include <net/stage_context.hpp>
#include <net/tunnel_list.hpp>

#include <cassert>
#include <utility>

namespace exeat::net {

using std::chrono::steady_clock;

account::account(tunnel& t, request_mode mode)
    : tunnel_{t}, client_{t.home.clients.of({t.home.settings().key_of(t.who.source), t.group_slot})}, id_{t.home.audit.next_id()}, mode_{
                                                                                                                                       mode}
{
    assert(t.bill == nullptr);
    client_.active.add();
    client_.last_seen.set(static_cast<std::uint64_t>(steady_clock::now().time_since_epoch() / std::chrono::seconds{1}));
    tunnel_.bill = this;
    tunnel_.accounted = true;
}

account::~account()
{
    if (open_) close_books();
    else if (!denied_ && !abandoned_ && !handed_over_) denied(refused(verdict::overload));
    client_.active.take();
    tunnel_.bill = nullptr;
    tunnel_.drop_decision();
}

budget_minutes account::minute() const noexcept { return tunnel_.home.minute(); }

verdict account::opened()
{
    assert(!open_ && !denied_ && tunnel_.decision.allowed());
    take_names_of_decision();
    if (const auto no = open_lines(); no != verdict::allowed) return rule_slot_ = 0, rule_id_ = 0, no;
    open_ = true;
    opened_at_ = steady_clock::now();
    auto& count = tunnel_.home.count;
    count.requests[mode_][1].add();
    if (reported_ != verdict::allowed) count.reported[reported_].add();
    count.setup.observe(static_cast<std::uint64_t>((opened_at_ - tunnel_.accepted) / std::chrono::nanoseconds{1}));
    gate.tunnel_opened();
    attach(*tunnel_.decision.rule);
    return verdict::allowed;
}

void account::attach(const rule& r) noexcept
{
    rule_slot_ = r.slot, rule_id_ = r.id, purpose_ = r.purpose;
    tunnel_.home.count.tunnels[purpose_].active.add();
    auto& e = tunnel_.home.due.at(tunnel_.slot);
    e.purpose = static_cast<std::uint8_t>(purpose_);
    e.started = opened_at_.time_since_epoch() / std::chrono::nanoseconds{1};
    e.bill = this;
    e.report_due = tunnel_.home.due.now() + ticks(limits::progress_interval);
}

void account::detach() noexcept
{
    tunnel_.home.count.tunnels[purpose_].active.take();
    auto& e = tunnel_.home.due.at(tunnel_.slot);
    e.purpose = purposes;
    e.bill = nullptr;
    e.report_due = no_deadline;
    e.report = false;
}

void account::hold_to_decision()
{
    const auto& d = tunnel_.decision;
    assert(d.allowed());
    const auto& home = tunnel_.home;
    const auto& by = tunnel_.judged_by;
    using on_spent = upload_gate::on_spent;
    const auto action = by.rules->reporting(tunnel_.who.groups, home.wall()) ? on_spent::report : static_cast<on_spent>(d.rule->on_budget);
    constexpr auto first_seen = static_cast<std::size_t>(detect::detector::first_seen);
    const bool cuts = home.settings().detect.actions[first_seen] == detector_action::cut;
    gate.hold_to_budgets({home.uploads, tunnel_.uploads_as(*by.rules), *d.rule, by.rules->settings(), home.minute(), by.generation}, action,
                         cuts);
    hold_to_findings();
    if (!open_) return;
    const auto& e = tunnel_.home.due.at(tunnel_.slot);
    const auto report_due = e.report_due;
    const bool report = e.report;
    detach();
    attach(*d.rule);
    tunnel_.home.due.at(tunnel_.slot).report_due = report_due; // frequent list changes must not delay progress lines and the maximum age
    tunnel_.home.due.at(tunnel_.slot).report = report;
    tunnel_.wake.wake(); // what it waited for may be allowed now
}

void account::hold_to_findings()
{
    auto& home = tunnel_.home;
    const auto& who = tunnel_.who;
    gate.hold_to_findings(home.restricted.throttles_of(who, tunnel_.decision.rule->id),
                          home.new_host_budget_of(who, tunnel_.to->host.str()), upload_, tunnel_.wake, home.throttled);
}

bool account::waits_for_log() noexcept
{
    auto& home = tunnel_.home;
    if (home.audit.may_upload()) return false;
    home.any_waits_for_log = true;
    if (log_deadline_ == no_deadline) log_deadline_ = home.due.now() + ticks(limits::audit_hold);
    return true;
}

bool account::look_after_log() noexcept
{
    if (log_deadline_ == no_deadline) return false;
    if (tunnel_.home.audit.may_upload()) {
        log_deadline_ = no_deadline;
        tunnel_.wake.wake();
        return false;
    }
    if (tunnel_.home.due.now() >= log_deadline_) tunnel_.interrupt({ending::audit_unavailable, verdict::audit_unavailable});
    return true;
}

interruption account::spent() const noexcept
{
    if (gate.spent_at_new_host()) return {ending::anomaly, verdict::anomaly};
    return {ending::budget, verdict::budget};
}

void account::note_gate()
{
    if (gate.went_over_budget()) tunnel_.home.count.over_budget[purpose_][static_cast<std::size_t>(gate.when_spent())].add();
    if (gate.spent_new_host()) progress(); // so that the detectors see it now
}

void account::uploaded(std::size_t bytes) noexcept
{
    if (bytes == 0) return;
    assert(open_);
    upload_ += bytes;
    tunnel_.home.count.rules[rule_slot_].upload.add(bytes);
    client_.bytes[purpose_].upload.add(bytes);
    if (upload_ + download_ - reported_bytes_ >= limits::progress_bytes) progress();
}

void account::downloaded(std::size_t bytes) noexcept
{
    download_ += bytes;
    gate.downloaded(bytes);
    tunnel_.home.count.rules[rule_slot_].download.add(bytes);
    client_.bytes[purpose_].download.add(bytes);
    if (upload_ + download_ - reported_bytes_ >= limits::progress_bytes) progress();
}

void account::progress()
{
    reported_bytes_ = upload_ + download_;
    auto& e = tunnel_.home.due.at(tunnel_.slot);
    e.report = false;
    e.report_due = tunnel_.home.due.now() + ticks(limits::progress_interval);
    stand_alone();
    tunnel_.home.audit.log(line(audit_action::progress), limits::audit_reserve);
    const auto most = tunnel_.decision.rule->max_age;
    if (most.count() > 0 && steady_clock::now() - opened_at_ >= most) tunnel_.interrupt({ending::max_age, verdict::expired});
}

void account::show_to(tunnel_list& list) const
{
    listed_tunnel t;
    t.id = id_;
    t.client = tunnel_.who.source;
    t.client_port = tunnel_.who.port;
    t.group_slot = tunnel_.group_slot;
    t.rule_slot = rule_slot_;
    t.purpose = purpose_;
    t.mode = mode_;
    t.opened = opened_at_;
    t.upload = upload_;
    t.download = download_;
    t.ech = tunnel_.hidden != hidden_hello::none;
    t.throttled = gate.throttled();
    t.port = tunnel_.peer.port;
    if (!list.wants(t)) return;
    t.address = tunnel_.peer.address;
    if (tunnel_.to) t.host = tunnel_.to->host.str(), t.port = tunnel_.to->port;
    list.add(std::move(t));
}

void account::close_books()
{
    auto r = line(audit_action::close);
    r.ended = ended_;
    r.duration = steady_clock::now() - opened_at_;
    if (summed_) r.verdict = reported_, tunnel_.home.audit.end_exchange(r);
    else tunnel_.home.audit.log(r, 0);
    detach();
    auto& count = tunnel_.home.count;
    count.closed[ended_].add();
    auto& mine = count.tunnels[purpose_];
    mine.duration.observe(static_cast<std::uint64_t>(r.duration.count()));
    mine.upload.observe(upload_);
    const bool by_policy = ended_ == ending::policy_revoked || ended_ == ending::expired || ended_ == ending::budget;
    if (by_policy) client_.last_cut.set(static_cast<std::uint64_t>(tunnel_.home.wall().time_since_epoch().count()));
}

} // namespace exeat::net
