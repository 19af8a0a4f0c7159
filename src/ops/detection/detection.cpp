#include <ops/detection/detection.hpp>

#include <exeat/enum_array.hpp>
#include <exeat/limits.hpp>
#include <net/random_seed.hpp>
#include <ops/detection/detector_snapshot.hpp>
#include <ops/text/sealed_bytes.hpp>

#include <algorithm>

namespace exeat::ops {

namespace {

detect::flow_step step_of(net::audit_action a) noexcept
{
    constexpr enum_array<net::audit_action, detect::flow_step, 4> steps{detect::flow_step::open, detect::flow_step::deny,
                                                                        detect::flow_step::progress, detect::flow_step::close};
    return steps[a];
}

} // namespace

detection::detection(const detector_settings& settings)
    : actions_{settings.actions}, than_{settings.than}, seed_{net::random_seed()},
      bank_{std::make_unique<detect::detector_bank>(seed_, than_)}, told_{limits::detect_clients, {net::random_seed()}}
{}

detect::moment detection::moment_of(std::chrono::system_clock::time_point at) noexcept
{
    return std::chrono::floor<std::chrono::seconds>(at.time_since_epoch());
}

// The records of a tunnel have the totals so far; the detectors need the volume since the last record.
void detection::note_volume(const net::audit_record& r, detect::flow_event& e)
{
    if (r.action != net::audit_action::progress && r.action != net::audit_action::close) return;
    const detect::client_key tunnel{r.source, r.id};
    const auto* before = told_.look(tunnel);
    e.up = r.upload - std::min(r.upload, before != nullptr ? before->up : 0);
    e.down = r.download - std::min(r.download, before != nullptr ? before->down : 0);
    e.tunnel_up = r.upload;
    if (r.action == net::audit_action::progress) told_.use(tunnel) = {r.upload, r.download};
    else if (before != nullptr) told_.forget(tunnel);
}

// The rings of several workers are not ordered by time, and clocks can be set back. After a step back, time continues from where it was.
detect::moment detection::time_of(const net::audit_record& r) noexcept
{
    const auto at = moment_of(r.at) + behind_;
    if (at + limits::clock_grace < now_) behind_ += now_ - at;
    return std::max(now_, at);
}

detect::flow_event detection::event_of(const net::audit_record& r)
{
    detect::flow_event e;
    e.step = step_of(r.action);
    e.verdict = r.verdict;
    e.at = time_of(r);
    e.age = std::chrono::floor<detect::moment>(r.duration);
    e.id = r.id;
    e.client = r.client;
    e.identity = r.identity;
    e.entry = {r.rule_id, r.rule_slot};
    e.purpose = r.rule_purpose;
    e.host = r.host.str();
    e.times = r.stands_for;
    e.wildcard = r.by_wildcard;
    e.over_budget = r.action == net::audit_action::close && r.ended == ending::budget;
    e.over_new_host = r.over_new_host;
    note_volume(r, e);
    if (r.stands_for > 1) e.tunnel_up = 0; // a sum belongs to no single tunnel
    return e;
}

void detection::see(const net::audit_record& r, std::vector<anomaly_event>& out)
{
    if (r.client == ip_address{}) return; // a sum over clients (net/audit/line_sums.hpp)
    const std::lock_guard hold{mutex_};
    const auto e = event_of(r);
    now_ = e.at;
    found_.clear();
    bank_->see(e, found_);
    for (auto& f : found_) {
        if (f.client == r.client) f.identity = r.identity;
        const auto which = static_cast<std::size_t>(f.which);
        counts_[which][actions_[which]].fetch_add(1, std::memory_order_relaxed);
        out.push_back({f, actions_[which], bank_->score(f.client, e.at), r.at, r.id, r.group_slot, std::string{r.host.str()}});
        recent_.push_front(out.back());
        if (recent_.size() > limits::recent_findings) recent_.pop_back();
        if (actions_[which] != detector_action::observe && act_) act_(f, actions_[which]);
    }
}

std::uint64_t detection::found(detect::detector d, detector_action a) const noexcept
{
    return counts_[d][a].load(std::memory_order_relaxed);
}

std::uint64_t detection::found() const noexcept
{
    std::uint64_t n = 0;
    for (const auto& by_action : counts_)
        for (const auto& c : by_action) n += c.load(std::memory_order_relaxed);
    return n;
}

std::vector<anomaly_event> detection::recent() const
{
    const std::lock_guard hold{mutex_};
    return {recent_.begin(), recent_.end()};
}

double detection::score(const ip_address& client, detect::moment now) const
{
    const std::lock_guard hold{mutex_};
    return bank_->score(client, now + behind_);
}

std::optional<detect::host_history::meeting> detection::first_contact(const ip_address& client, std::string_view host) const
{
    const std::lock_guard hold{mutex_};
    const auto now = std::max(now_, moment_of(std::chrono::system_clock::now()) + behind_);
    auto met = bank_->would_meet(client, host, now);
    if (met) met->until -= now;
    return met;
}

std::array<detect::detector_bank::table, 7> detection::tables() const
{
    const std::lock_guard hold{mutex_};
    return bank_->tables();
}

void detection::pass_on(const heirs_of<std::uint64_t>& entries)
{
    const std::lock_guard hold{mutex_};
    bank_->pass_on(entries);
}

std::string detection::written()
{
    std::string out;
    {
        const std::lock_guard hold{mutex_};
        out = heading_of({now_, seed_, {}});
    }
    for (std::size_t part = 0; part < detect::detector_bank::parts; ++part) {
        std::string bytes;
        {
            const std::lock_guard hold{mutex_};
            bank_->write(part, bytes);
        }
        out += bytes;
    }
    return seal(out) ? out : std::string{};
}

bool detection::begin_with(std::string_view written, detect::moment present)
{
    const auto s = open_detectors(written);
    auto bank = s ? bank_of(*s, than_, present) : nullptr;
    if (!bank) return false;
    const std::lock_guard hold{mutex_};
    seed_ = s->seed;
    bank_ = std::move(bank);
    now_ = std::min(s->now, present);
    return true;
}

} // namespace exeat::ops
