#include <net/worker.hpp>

#include <net/accept.hpp>
#include <net/wall_clock.hpp>

#include <boost/asio/bind_allocator.hpp>
#include <boost/asio/post.hpp>
#include <random>
#include <thread>

namespace exeat::net {

namespace asio = boost::asio;
using std::chrono::steady_clock;

namespace {

// Sixteen bits that tell processes apart, eight for the worker, forty that count.
std::uint64_t id_base(std::size_t worker)
{
    static const std::uint64_t process = std::random_device{}();
    return ((process & 0xffff) << 48) | (std::uint64_t{worker} << 40);
}

// Each worker shares the policy through a count of its own, so that opening a tunnel touches no other core's cache line.
std::shared_ptr<const policy> own_count(std::shared_ptr<const policy> p)
{
    const auto* raw = p.get();
    return {raw, [keep = std::move(p)](const policy*) {}};
}

std::vector<watched_socket> as_watched(std::vector<unique_fd> fds)
{
    std::vector<watched_socket> out(fds.size());
    for (std::size_t i = 0; i < fds.size(); ++i) out[i].fd = std::move(fds[i]);
    return out;
}

} // namespace

worker::worker(std::size_t index, const common_ground& common, std::vector<unique_fd> listeners, audit_ring& audit)
    : settings_{common.settings}, audit_healthy_{common.audit_healthy}, io_{1}, counts_{std::make_unique<counters>()}, events{io_},
      count{*counts_}, names{io_, common.settings, *counts_}, client_accounts{clients_}, doors{common.doors},
      wildcard_names{common.wildcard_names}, uploads{common.uploads}, new_hosts{common.new_hosts}, audit_{audit}, sweep_timer_{io_},
      listening_{as_watched(std::move(listeners))},
      scratch_(limits::scratch_bytes), own_{common.own}, began_{steady_clock::now()}, wall_{wall_now()}, id_base_{id_base(index)},
      shares_listeners_{common.shares_listeners}
{
    take(common.rules, common.generation);
}

worker::~worker() = default;

void worker::begin()
{
    events.start();
    for (std::size_t i = 0; i < listening_.size(); ++i) accept_connections(*this, listening_[i], i);
    sweep_again();
}

void worker::run()
{
    while (!io_.stopped()) {
        try {
            io_.run();
        } catch (const std::exception&) {
            count.out_of_memory.add(); // a handler had none: what it was about ends by its deadline, the others go on
        }
    }
    late_.move_to(audit_);
}

void worker::take(std::shared_ptr<const policy> next, std::uint64_t next_generation)
{
    rules = own_count(std::move(next));
    generation = next_generation;
    next_change_ = rules->next_change(wall_);
}

void worker::adopt(std::shared_ptr<const policy> next, std::uint64_t next_generation)
{
    asio::post(io_, [this, next = std::move(next), next_generation]() mutable {
        take(std::move(next), next_generation);
        judge_all_again();
    });
}

void worker::adopt(own_endpoints own)
{
    asio::post(io_, [this, own = std::move(own)]() mutable { own_ = std::move(own); });
}

void worker::adopt(std::shared_ptr<const throttled_clients> next)
{
    asio::post(io_, [this, next = std::move(next)]() mutable {
        throttled_ = std::move(next);
        hold_back_now(nullptr);
    });
}

void worker::hold_back(const ip_address& client)
{
    asio::post(io_, [this, client] { hold_back_now(&client); });
}

// What could not be held back may not go on as it is.
void worker::hold_back_now(const ip_address* client)
{
    for (auto& t : live)
        if ((client == nullptr || t.who.source == *client) && t.book && t.to && t.said.by != nullptr) try {
                t.book->hold_back();
            } catch (const std::bad_alloc&) {
                t.interrupt({ending::anomaly, verdict::anomaly});
            }
}

throttles_of_tunnel worker::throttles_of(const ip_address& client, std::uint32_t rule_slot) const noexcept
{
    throttles_of_tunnel out;
    if (!throttled_) return out;
    for (const auto& t : *throttled_)
        if (t.client == client && (t.entry == 0 || t.entry == rule_slot)) out[t.entry == 0 ? 0 : 1] = t.to;
    return out;
}

void worker::shut_out(const ip_address& client, std::uint32_t rule_slot)
{
    asio::post(io_, [this, client, rule_slot] { take_shut_out(client, rule_slot); });
}

void worker::take_shut_out(const ip_address& client, std::uint32_t rule_slot)
{
    if (shut_.size() == limits::shut_outs)
        shut_.erase(std::min_element(shut_.begin(), shut_.end(), [](const shut& a, const shut& b) { return a.until < b.until; }));
    shut_.push_back({client, rule_slot, steady_clock::now() + limits::shut_out_time});
    for (auto& t : live)
        if (t.book && t.to && t.said.by != nullptr && has_shut_out(t.who.source, t.said.by->slot))
            t.interrupt({ending::anomaly, verdict::anomaly});
}

bool worker::has_shut_out(const ip_address& client, std::uint32_t rule_slot) const noexcept
{
    return std::any_of(shut_.begin(), shut_.end(),
                       [&](const shut& s) { return s.client == client && (s.rule_slot == 0 || s.rule_slot == rule_slot); });
}

void worker::drain()
{
    asio::post(io_, [this] {
        draining_ = true;
        for (auto& l : listening_)
            if (l.owner) l.owner->wake();
        for (auto& t : live)
            if (t.between_requests()) t.interrupt({ending::drained, verdict::overload});
    });
}

void worker::cut_all(ending why)
{
    asio::post(io_, [this, why] {
        draining_ = true;
        ending_ = why;
        for (auto& l : listening_)
            if (l.owner) l.owner->wake();
        for (auto& t : live) t.interrupt({why, verdict::overload});
    });
}

bool worker::may_log() const noexcept
{
    return settings_.on_audit_failure == audit_failure::proceed || audit_healthy_.load(std::memory_order_relaxed);
}

bool worker::log(const audit_record& r, std::size_t reserve)
{
    const bool opening = r.action == audit_action::open;
    late_.move_to(audit_);
    if (late_.empty() && audit_.push(r, reserve)) return true;
    if (opening && settings_.on_audit_failure == audit_failure::deny) return false;
    if (r.action != audit_action::close || !late_.keep(r)) count.audit_dropped.add();
    return true;
}

void worker::log_denial(const audit_record& r)
{
    const auto now = denials_.take(r);
    if (now && !audit_.push(*now, limits::audit_reserve)) count.audit_dropped.add();
}

void worker::sweep_again()
{
    sweep_timer_.expires_after(limits::sweep_interval);
    sweep_timer_.async_wait(asio::bind_allocator(sweep_memory_.memory(), [this](boost::system::error_code failed) {
        if (failed) return;
        try {
            sweep();
        } catch (const std::exception&) {
            count.out_of_memory.add();
        }
        if (!ended()) return sweep_again();
        names.stop();
        events.stop();
        io_.stop();
    }));
}

bool worker::ended() const noexcept
{
    const bool accepts = std::any_of(listening_.begin(), listening_.end(), [](const watched_socket& l) { return l.owner != nullptr; });
    return ending_ && live.empty() && late_.empty() && !accepts;
}

void worker::sweep()
{
    wall_ = wall_now();
    rounds_.fetch_add(1, std::memory_order_relaxed);
    const auto now = static_cast<tick>((steady_clock::now() - began_) / limits::sweep_interval);
    due.sweep(now);
    rates.wake();
    names.sweep();
    late_.move_to(audit_);
    if (wall_ >= next_change_) {
        next_change_ = rules->next_change(wall_);
        judge_all_again();
    }
    if (ending_) // whatever still talks to its client has had its time
        for (auto& t : live) due.at(t.slot).passed = true, t.wake.wake();
    constexpr tick per_second = std::chrono::seconds{1} / limits::sweep_interval;
    if (now / per_second != second_) second_ = now / per_second, each_second();
}

void worker::each_second()
{
    minute_ = budget_now();
    std::erase_if(shut_, [now = steady_clock::now()](const shut& s) { return s.until <= now; });
    if (const auto r = denials_.next_second(); r && !audit_.push(*r, limits::audit_reserve)) count.audit_dropped.add();
    const auto oldest = due.oldest();
    for (std::size_t p = 0; p < purposes; ++p) count.tunnels[p].oldest_start.set(static_cast<std::uint64_t>(oldest[p]));
    constexpr tick per_minute = 60;
    if (second_ % per_minute == 0)
        clients_.forget_idle(std::chrono::duration_cast<std::chrono::seconds>(steady_clock::now().time_since_epoch()));
}

void worker::judge_all_again()
{
    for (auto& t : live)
        if (t.book && t.to && t.said.allowed()) judge_again(t);
}

// The list has changed, or time has passed: is what this tunnel was allowed still allowed, in every respect that was checked?
void worker::judge_again(tunnel& t)
{
    t.who.groups = rules->groups_of(t.who.source);
    const auto was_protocol = t.said.by->protocol;
    auto again = decide(t.who, *t.to, *rules, wall_);
    const bool reached = t.peer.port != 0;
    const bool holds = again.allowed() && again.by->protocol == was_protocol && (!t.ech || again.by->ech) &&
                       (!reached || check_address(*again.leave, t.peer.address, own_).has_value());
    if (!holds) {
        const bool ran_out = again.said == verdict::expired || again.said == verdict::policy_expired;
        t.interrupt({ran_out ? ending::expired : ending::policy_revoked, ran_out ? again.said : verdict::policy_revoked});
        return;
    }
    t.rules = rules;
    t.generation = generation;
    t.said = std::move(again);
    t.book->moved_to(*t.said.by);
}

} // namespace exeat::net
