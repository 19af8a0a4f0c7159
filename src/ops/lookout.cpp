#include <ops/lookout.hpp>

#include <exeat/limits.hpp>
#include <net/random_seed.hpp>

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

lookout::lookout(const label_registry& labels, const detector_settings& settings)
    : labels_{labels}, actions_{settings.actions}, bank_{net::random_seed(), settings.than}, told_{limits::detect_clients,
                                                                                                   {net::random_seed()}}
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

detect::flow_event lookout::event_of(const net::audit_record& r)
{
    if (r.rule_slot >= purposes_.size()) {
        purposes_.clear();
        for (const auto& label : labels_.rules()) purposes_.push_back(label.purpose);
    }
    now_ = std::max(now_, moment_of(r.at)); // the rings of several workers are not in order, and clocks go back
    detect::flow_event e;
    e.step = step_of(r.action);
    e.said = r.said;
    e.at = now_;
    e.age = std::chrono::floor<detect::moment>(r.duration);
    e.id = r.id;
    e.client = r.source;
    e.entry = r.rule_slot;
    e.purpose = r.rule_slot < purposes_.size() ? purposes_[r.rule_slot] : purpose::pull;
    e.host = r.host.str();
    e.times = r.stands_for;
    e.wildcard = r.by_wildcard;
    e.over_budget = r.action == net::audit_action::close && r.ended == ending::budget;
    note_volume(r, e);
    return e;
}

void lookout::see(const net::audit_record& r, std::vector<anomaly_event>& out)
{
    const auto e = event_of(r);
    const std::lock_guard hold{mutex_};
    found_.clear();
    bank_.see(e, found_);
    for (const auto& f : found_) {
        const auto which = static_cast<std::size_t>(f.which);
        counts_[which][static_cast<std::size_t>(actions_[which])].fetch_add(1, std::memory_order_relaxed);
        out.push_back({f, actions_[which], bank_.score(f.client, e.at), r.at});
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
    return bank_.score(client, now);
}

std::array<detect::detector_bank::table, 7> lookout::tables() const
{
    const std::lock_guard hold{mutex_};
    return bank_.tables();
}

} // namespace exeat::ops
