#include <ops/detection/lookout.hpp>

#include <exeat/limits.hpp>
#include <net/random_seed.hpp>
#include <ops/detection/detector_snapshot.hpp>
#include <ops/text/sealed_bytes.hpp>

#include <algorithm>

namespace exeat::ops {

namespace {

detect::flow_step step_of(net::audit_action a) noexcept
{
    constexpr std::array<detect::flow_step, 4> steps{detect::flow_step::open, detect::flow_step::deny, detect::flow_step::progress,
                                                     detect::flow_step::close};
    return steps[static_cast<std::size_t>(a)];
}

} // namespace

lookout::lookout(const detector_settings& settings)
    : actions_{settings.actions}, than_{settings.than}, seed_{net::random_seed()},
      bank_{std::make_unique<detect::detector_bank>(seed_, than_)}, told_{limits::detect_clients, {net::random_seed()}}
{}

detect::moment lookout::moment_of(std::chrono::system_clock::time_point at) noexcept
{
    return std::chrono::floor<std::chrono::seconds>(at.time_since_epoch());
}

// Lines of one tunnel tell what it moved so far; detectors want what it moved since.
void lookout::note_volume(const net::audit_record& r, detect::flow_event& e)
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

// The rings of several workers are not in order, and clocks go back: from a step back on, time goes on from where it was.
detect::moment lookout::time_of(const net::audit_record& r) noexcept
{
    const auto at = moment_of(r.at) + behind_;
    if (at + limits::clock_grace < now_) behind_ += now_ - at;
    return std::max(now_, at);
}

detect::flow_event lookout::event_of(const net::audit_record& r)
{
    detect::flow_event e;
    e.step = step_of(r.action);
    e.said = r.said;
    e.at = time_of(r);
    e.age = std::chrono::floor<detect::moment>(r.duration);
    e.id = r.id;
    e.client = r.client;
    e.entry = {r.rule_id, r.rule_slot};
    e.purpose = r.rule_purpose;
    e.host = r.host.str();
    e.times = r.stands_for;
    e.wildcard = r.by_wildcard;
    e.over_budget = r.action == net::audit_action::close && r.ended == ending::budget;
    e.over_new_host = r.over_new_host;
    note_volume(r, e);
    if (r.stands_for > 1) e.tunnel_up = 0; // of none of them alone
    return e;
}

void lookout::see(const net::audit_record& r, std::vector<anomaly_event>& out)
{
    if (r.client == ip_address{}) return; // a sum over clients (net/denial_sampler.hpp)
    const std::lock_guard hold{mutex_};
    const auto e = event_of(r);
    now_ = e.at;
    found_.clear();
    bank_->see(e, found_);
    for (const auto& f : found_) {
        const auto which = static_cast<std::size_t>(f.which);
        counts_[which][static_cast<std::size_t>(actions_[which])].fetch_add(1, std::memory_order_relaxed);
        out.push_back({f, actions_[which], bank_->score(f.client, e.at), r.at, r.id, r.group_slot, std::string{r.host.str()}});
        recent_.push_front(out.back());
        if (recent_.size() > limits::recent_findings) recent_.pop_back();
        if (actions_[which] != detector_action::observe && act_) act_(f, actions_[which]);
    }
}

std::uint64_t lookout::found(detect::detector d, detector_action a) const noexcept
{
    return counts_[static_cast<std::size_t>(d)][static_cast<std::size_t>(a)].load(std::memory_order_relaxed);
}

std::uint64_t lookout::found() const noexcept
{
    std::uint64_t n = 0;
    for (const auto& by_action : counts_)
        for (const auto& c : by_action) n += c.load(std::memory_order_relaxed);
    return n;
}

std::vector<anomaly_event> lookout::recent() const
{
    const std::lock_guard hold{mutex_};
    return {recent_.begin(), recent_.end()};
}

double lookout::score(const ip_address& client, detect::moment now) const
{
    const std::lock_guard hold{mutex_};
    return bank_->score(client, now + behind_);
}

std::optional<detect::acquaintance::meeting> lookout::first_contact(const ip_address& client, std::string_view host) const
{
    const std::lock_guard hold{mutex_};
    const auto now = std::max(now_, moment_of(std::chrono::system_clock::now()) + behind_);
    auto met = bank_->would_meet(client, host, now);
    if (met) met->until -= now;
    return met;
}

std::array<detect::detector_bank::table, 7> lookout::tables() const
{
    const std::lock_guard hold{mutex_};
    return bank_->tables();
}

void lookout::pass_on(const heirs_of<std::uint64_t>& entries)
{
    const std::lock_guard hold{mutex_};
    bank_->pass_on(entries);
}

std::string lookout::written()
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

bool lookout::begin_with(std::string_view written, detect::moment present)
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
