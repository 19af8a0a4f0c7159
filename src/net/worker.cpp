#include <net/worker.hpp>

#include <exeat/check_address.hpp>
#include <net/accept.hpp>
#include <net/change_or_cut.hpp>
#include <net/clients/find_pod.hpp>
#include <net/judge.hpp>
#include <net/wall_clock.hpp>

#include <algorithm>
#include <boost/asio/bind_allocator.hpp>

namespace exeat::net {

namespace asio = boost::asio;
using std::chrono::steady_clock;

namespace {

// Each worker holds the policy through a reference count of its own, so that opening a tunnel touches no cache line of another core.
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

worker::worker(std::size_t index, const worker_shared& shared, std::vector<unique_fd> listeners, audit_ring& audit)
    : io_{1}, at_{index, shared, io_, audit}, sweep_timer_{io_}, listening_{as_watched(std::move(listeners))}, began_{steady_clock::now()}
{
    at_.restricted.quarantine(shared.quarantined);
    at_.pods.adopt(shared.pods);
    at_.adopt({own_count(shared.rules), shared.generation});
}

worker::~worker() = default;

void worker::begin()
{
    at_.events.start();
    for (std::size_t i = 0; i < listening_.size(); ++i) accept_connections(at_, listening_[i], i);
    sweep_again();
}

void worker::run()
{
    while (!io_.stopped()) {
        try {
            io_.run();
        } catch (const std::exception&) {
            at_.count.out_of_memory.add(); // a handler got no memory: its operation ends by its deadline, the others continue
        }
    }
    at_.audit.end();
}

// All memory is allocated here, on the caller's thread: the posted function must not fail, or the worker would keep the old list.
void worker::adopt(std::shared_ptr<const policy> next, std::uint64_t generation)
{
    asio::post(io_, [this, by = policy_snapshot{own_count(std::move(next)), generation}]() mutable noexcept { at_.adopt(std::move(by)); });
}

void worker::pass_on(std::shared_ptr<const heirs_of<std::uint64_t>> entries)
{
    asio::post(io_, [this, entries = std::move(entries)]() mutable noexcept { at_.restricted.pass_on(*entries); });
}

void worker::adopt(own_endpoints own)
{
    asio::post(io_, [this, own = std::move(own)]() mutable noexcept { at_.own_ = std::move(own); });
}

void worker::ask_servers(std::vector<endpoint> dns)
{
    asio::post(io_, [this, dns = std::move(dns)]() mutable noexcept { at_.names.use(std::move(dns)); });
}

void worker::adopt(std::shared_ptr<const throttled_clients> next)
{
    asio::post(io_, [this, next = std::move(next)]() mutable noexcept {
        at_.restricted.throttle(std::move(next));
        hold_to_findings_now();
    });
}

void worker::hold_to_findings_now() noexcept
{
    for (auto& t : at_.live)
        if (t.bill && t.decision.allowed())
            change_or_cut(t, {ending::anomaly, verdict::anomaly}, [](tunnel& held) { held.bill->hold_to_findings(); });
}

void worker::adopt(std::shared_ptr<const quarantines> next)
{
    asio::post(io_, [this, next = std::move(next)]() mutable noexcept {
        at_.restricted.quarantine(std::move(next));
        for (auto& t : at_.live)
            if (t.bill && t.decision.allowed() && is_quarantined(t)) t.interrupt(quarantine_interruption);
    });
}

void worker::adopt(std::shared_ptr<const pod_snapshot> next)
{
    asio::post(io_, [this, next = std::move(next)]() mutable noexcept { at_.pods.adopt(std::move(next)); });
}

// Not with each change: pods may come and go many times a second, and there may be many tunnels.
void worker::look_at_pods() noexcept
{
    if (!at_.pods.changed()) return;
    for (auto& t : at_.live) check_pod(t);
}

void worker::shut_out(const ip_address& client, std::uint64_t rule_id)
{
    asio::post(io_, [this, client, rule_id]() noexcept { shut_out_now(client, rule_id); });
}

void worker::shut_out_now(const ip_address& client, std::uint64_t rule_id) noexcept
{
    at_.restricted.shut_out(client, rule_id, steady_clock::now() + limits::shut_out_time);
    for (auto& t : at_.live)
        if (t.bill && t.decision.allowed() && at_.restricted.shuts_out(t.who, t.decision.rule->id))
            t.interrupt({ending::anomaly, verdict::anomaly});
}

void worker::stop_accepting() noexcept
{
    at_.draining_ = true;
    for (auto& l : listening_)
        if (l.owner) l.owner->wake();
}

void worker::drain()
{
    asio::post(io_, [this]() noexcept {
        stop_accepting();
        for (auto& t : at_.live)
            if (t.between_requests()) t.interrupt({ending::drained, verdict::overload});
    });
}

void worker::cut_all(ending why)
{
    asio::post(io_, [this, why]() noexcept {
        if (!at_.cutting_) give_up_log_ = at_.due.now() + ticks(limits::audit_stop_time);
        at_.cutting_ = true;
        stop_accepting();
        for (auto& t : at_.live) t.interrupt({why, verdict::overload});
    });
}

void worker::sweep_again()
{
    sweep_timer_.expires_after(limits::sweep_interval);
    sweep_timer_.async_wait(asio::bind_allocator(sweep_memory_.memory(), [this](boost::system::error_code failed) {
        if (failed) return;
        try {
            sweep();
        } catch (const std::exception&) {
            at_.count.out_of_memory.add();
        }
        if (!ended()) return sweep_again();
        at_.names.stop();
        at_.events.stop();
        io_.stop();
    }));
}

bool worker::ended() const noexcept
{
    const bool accepts = std::any_of(listening_.begin(), listening_.end(), [](const watched_socket& l) { return l.owner != nullptr; });
    const bool logged = at_.audit.empty() || at_.due.now() >= give_up_log_;
    return at_.cutting_ && at_.live.empty() && logged && !accepts;
}

void worker::sweep()
{
    rounds_.fetch_add(1, std::memory_order_relaxed);
    const auto now = static_cast<tick>((steady_clock::now() - began_) / limits::sweep_interval);
    at_.due.sweep(now);
    at_.throttled.wake();
    look_after_uploads();
    at_.audit.sweep();
    at_.advance(wall_now());
    if (at_.cutting_) // connections that still talk to their client have had their time
        for (auto& t : at_.live) at_.due.at(t.slot).passed = true, t.wake.wake();
    if (now >= next_look_at_pods_) next_look_at_pods_ = now + ticks(limits::pods_sweep), look_at_pods();
    constexpr tick per_second = std::chrono::seconds{1} / limits::sweep_interval;
    if (now / per_second != second_) second_ = now / per_second, each_second();
    at_.names.sweep(); // last, because it may run out of memory
}

// Visits the tunnels whose uploads wait for the audit log; visits none while no upload waits.
void worker::look_after_uploads() noexcept
{
    if (!at_.any_waits_for_log) return;
    std::uint64_t held = 0;
    for (auto& t : at_.live)
        if (t.bill && t.bill->look_after_log()) ++held;
    at_.count.audit_held.set(held);
    at_.any_waits_for_log = held > 0;
}

void worker::each_second()
{
    at_.minute_ = budget_now();
    at_.restricted.forget_before(steady_clock::now());
    at_.audit.next_second();
    const auto oldest = at_.due.oldest();
    for (std::size_t p = 0; p < purposes; ++p) at_.count.tunnels[p].oldest_start.set(static_cast<std::uint64_t>(oldest[p]));
    constexpr tick per_minute = 60;
    if (second_ % per_minute == 0)
        at_.clients.forget_idle(std::chrono::duration_cast<std::chrono::seconds>(steady_clock::now().time_since_epoch()));
}

} // namespace exeat::net
