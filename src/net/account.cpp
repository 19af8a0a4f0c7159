#include <net/account.hpp>

#include <net/tunnel_list.hpp>
#include <net/worker.hpp>

namespace exeat::net {

using std::chrono::steady_clock;

account::account(tunnel& t, request_mode mode)
    : tunnel_{t}, client_{t.home.client_accounts.of({t.who.source, t.rules->group_slot(t.who.groups)})}, id_{t.home.next_id()}, mode_{mode}
{
    client_.active.add();
    client_.last_seen.set(static_cast<std::uint64_t>(steady_clock::now().time_since_epoch() / std::chrono::seconds{1}));
    tunnel_.book = this;
    tunnel_.accounted = true;
}

account::~account()
{
    if (open_) close_book();
    else if (!denied_ && !abandoned_ && tunnel_.to) denied(verdict::overload, tunnel_.to->host.str(), tunnel_.to->port);
    else if (!denied_ && !abandoned_) denied(verdict::overload, {}, 0);
    client_.active.take();
    tunnel_.book = nullptr;
}

audit_record account::line(audit_action action) const
{
    audit_record r;
    r.action = action;
    r.mode = mode_;
    r.id = id_;
    r.policy = tunnel_.generation;
    r.at = std::chrono::system_clock::now();
    r.duration = steady_clock::now() - tunnel_.accepted;
    r.source = tunnel_.who.source;
    r.source_port = tunnel_.who.port;
    r.group_slot = tunnel_.rules->group_slot(tunnel_.who.groups);
    r.rule_slot = rule_slot_;
    r.upload = upload_;
    r.download = download_;
    r.ech = tunnel_.ech;
    r.by_wildcard = tunnel_.said.by_wildcard;
    r.over_new_host = over_new_host_;
    r.peer = peer_.address;
    if (tunnel_.to) {
        r.host = bounded_text{tunnel_.to->host.str()};
        r.port = tunnel_.to->port;
        if (named_itself_) r.server_name = r.host;
    }
    return r;
}

void account::denied(verdict why, std::string_view host, std::uint16_t port, std::string_view server_name)
{
    if (denied_) return;
    denied_ = true;
    auto& count = tunnel_.home.count;
    const auto group = tunnel_.rules->group_slot(tunnel_.who.groups);
    if (!open_) count.requests[static_cast<std::size_t>(mode_)][0].add();
    count.denied[static_cast<std::size_t>(why)][group].add();
    client_.denied.add();
    auto r = line(audit_action::deny);
    r.said = why;
    if (tunnel_.said.by != nullptr) r.rule_slot = tunnel_.said.by->slot; // that refused, or came nearest to allowing
    r.host = bounded_text{host};
    r.port = port;
    r.server_name = bounded_text{server_name};
    tunnel_.home.log_denial(r);
}

void account::abandoned() noexcept
{
    abandoned_ = true;
    tunnel_.home.count.closed[static_cast<std::size_t>(ending::client_closed)].add();
}

bool account::opened()
{
    const auto& said = tunnel_.said;
    reported_ = said.reported;
    rule_slot_ = said.by->slot;
    peer_ = tunnel_.peer;
    named_itself_ = said.by->protocol == protocol::tls; // peek_hello has compared them
    auto r = line(audit_action::open);
    r.said = reported_;
    if (!tunnel_.home.log(r, limits::audit_reserve)) {
        rule_slot_ = 0;
        return false;
    }
    open_ = true;
    opened_at_ = steady_clock::now();
    auto& count = tunnel_.home.count;
    count.requests[static_cast<std::size_t>(mode_)][1].add();
    if (reported_ != verdict::allowed) count.reported[static_cast<std::size_t>(reported_)].add();
    count.setup.observe(static_cast<std::uint64_t>((opened_at_ - tunnel_.accepted) / std::chrono::nanoseconds{1}));
    permit_.tunnel_opened();
    enter(*said.by);
    tunnel_.home.due.at(tunnel_.slot).report_due = tunnel_.home.due.now() + ticks(limits::progress_interval);
    return true;
}

void account::enter(const rule& by) noexcept
{
    rule_slot_ = by.slot;
    purpose_ = by.purpose;
    tunnel_.home.count.tunnels[static_cast<std::size_t>(purpose_)].active.add();
    auto& e = tunnel_.home.due.at(tunnel_.slot);
    e.purpose = static_cast<std::uint8_t>(purpose_);
    e.started = opened_at_.time_since_epoch() / std::chrono::nanoseconds{1};
    e.book = this;
}

void account::leave() noexcept
{
    tunnel_.home.count.tunnels[static_cast<std::size_t>(purpose_)].active.take();
    auto& e = tunnel_.home.due.at(tunnel_.slot);
    e.purpose = purposes;
    e.book = nullptr;
    e.report_due = no_deadline;
    e.report = false;
}

void account::moved_to(const rule& by)
{
    if (!open_) return;
    leave();
    enter(by);
    hold_to_budget();
    tunnel_.home.due.at(tunnel_.slot).report_due = tunnel_.home.due.now() + ticks(limits::progress_interval);
}

void account::hold_to_budget()
{
    const auto& by = *tunnel_.said.by;
    permit_ = {tunnel_.home.uploads, tunnel_.who.source, by, tunnel_.rules->settings(), tunnel_.home.minute()};
    hold_back();
}

void account::hold_back()
{
    const auto& home = tunnel_.home;
    auto to = home.throttles_of(tunnel_.who.source, tunnel_.said.by->slot);
    auto new_host = home.new_hosts.find(tunnel_.who.source, tunnel_.to->host.str(), home.minute());
    if (!held_back_ && !to[0] && !to[1] && !new_host) return;
    if (!held_back_) held_back_ = std::make_unique<held_back>(tunnel_.wake, tunnel_.home.rates);
    held_back_->hold_to(std::move(to));
    held_back_->hold_to(std::move(new_host), upload_);
}

// Report mode is an action of its own, the last.
std::size_t account::on_budget() const noexcept
{
    return tunnel_.rules->reporting(tunnel_.who.groups, tunnel_.home.wall()) ? budget_actions
                                                                             : static_cast<std::size_t>(tunnel_.said.by->on_budget);
}

bool account::only_told() const noexcept { return on_budget() >= static_cast<std::size_t>(budget_action::alert); }

bool account::waits_for_budget() const noexcept { return on_budget() == static_cast<std::size_t>(budget_action::throttle); }

bool account::budget_refuses(verdict& reported)
{
    hold_to_budget();
    if (waits_for_budget() || !permit_.spent(tunnel_.home.minute())) return false;
    if (!only_told()) return true;
    if (on_budget() == budget_actions && reported == verdict::allowed) reported = verdict::budget;
    return false;
}

bool account::cut_at_new_host() const noexcept
{
    return tunnel_.home.settings().detect.actions[static_cast<std::size_t>(detect::detector::first_seen)] == detector_action::cut;
}

bool account::new_host_refuses() const noexcept
{
    return held_back_ && cut_at_new_host() && held_back_->new_host_spent(tunnel_.home.minute());
}

interruption account::spent() const noexcept
{
    if (held_back_ && held_back_->over_new_host()) return {ending::anomaly, verdict::anomaly};
    return {ending::budget, verdict::budget};
}

bool account::waits() const noexcept { return waits_for_rate_ || (waits_for_budget() && spent().as == ending::budget); }

std::size_t account::may_upload(std::size_t want) noexcept
{
    if (held_back_) {
        want = static_cast<std::size_t>(held_back_->take(want, tunnel_.home.minute()));
        const bool over = want == 0 && held_back_->over_new_host();   // not before: what the socket does not take is given back
        if (over && !std::exchange(over_new_host_, true)) progress(); // so that it is told now
        waits_for_rate_ = want == 0 && !(over && cut_at_new_host());
        if (want == 0) return 0;
    }
    const auto given = static_cast<std::size_t>(permit_.take(want, tunnel_.home.minute()));
    if (given == want) return want;
    if (!std::exchange(overdrawn_, true)) tunnel_.home.count.over_budget[static_cast<std::size_t>(purpose_)][on_budget()].add();
    if (!only_told()) {
        if (held_back_) held_back_->give_back(want - given);
        return given;
    }
    permit_.overdraw(want - given);
    return want;
}

void account::uploaded(std::size_t bytes, std::size_t may_have) noexcept
{
    if (may_have > bytes) {
        permit_.give_back(may_have - bytes);
        if (held_back_) held_back_->give_back(may_have - bytes);
    }
    if (bytes == 0) return;
    upload_ += bytes;
    tunnel_.home.count.rules[rule_slot_].upload.add(bytes);
    client_.bytes[static_cast<std::size_t>(purpose_)].upload.add(bytes);
    if (upload_ + download_ - reported_bytes_ >= limits::progress_bytes) progress();
}

void account::downloaded(std::size_t bytes) noexcept
{
    download_ += bytes;
    permit_.downloaded(bytes);
    tunnel_.home.count.rules[rule_slot_].download.add(bytes);
    client_.bytes[static_cast<std::size_t>(purpose_)].download.add(bytes);
    if (upload_ + download_ - reported_bytes_ >= limits::progress_bytes) progress();
}

void account::progress()
{
    reported_bytes_ = upload_ + download_;
    auto& e = tunnel_.home.due.at(tunnel_.slot);
    e.report = false;
    e.report_due = tunnel_.home.due.now() + ticks(limits::progress_interval);
    tunnel_.home.log(line(audit_action::progress), limits::audit_reserve);
    const auto most = tunnel_.said.by->max_age;
    if (most.count() > 0 && steady_clock::now() - opened_at_ >= most) tunnel_.interrupt({ending::max_age, verdict::expired});
}

void account::show_to(tunnel_list& list) const
{
    listed_tunnel t;
    t.id = id_;
    t.client = tunnel_.who.source;
    t.client_port = tunnel_.who.port;
    t.group_slot = tunnel_.rules->group_slot(tunnel_.who.groups);
    t.rule_slot = rule_slot_;
    t.purpose = purpose_;
    t.mode = mode_;
    t.opened = opened_at_;
    t.upload = upload_;
    t.download = download_;
    t.ech = tunnel_.ech;
    t.throttled = throttled();
    t.port = peer_.port;
    if (!list.wants(t)) return;
    t.address = peer_.address;
    if (tunnel_.to) t.host = tunnel_.to->host.str(), t.port = tunnel_.to->port;
    list.add(std::move(t));
}

void account::close_book()
{
    auto r = line(audit_action::close);
    r.ended = ended_;
    r.duration = steady_clock::now() - opened_at_;
    tunnel_.home.log(r, 0);
    leave();
    auto& count = tunnel_.home.count;
    count.closed[static_cast<std::size_t>(ended_)].add();
    auto& mine = count.tunnels[static_cast<std::size_t>(purpose_)];
    mine.duration.observe(static_cast<std::uint64_t>(r.duration.count()));
    mine.upload.observe(upload_);
    const bool by_policy = ended_ == ending::policy_revoked || ended_ == ending::expired || ended_ == ending::budget;
    if (by_policy) client_.last_cut.set(static_cast<std::uint64_t>(tunnel_.home.wall().time_since_epoch().count()));
}

} // namespace exeat::net
