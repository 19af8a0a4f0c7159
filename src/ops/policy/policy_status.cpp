#include <ops/policy/policy_status.hpp>

#include <utility>

namespace exeat::ops {

namespace {

std::shared_ptr<const responsible_by_rule> responsible_of(const policy& rules)
{
    auto out = std::make_shared<responsible_by_rule>();
    for (const auto& r : rules.rules())
        if (!r.owner.empty() || !r.ticket.empty()) out->emplace(r.id, responsible{r.owner, r.ticket});
    return out;
}

} // namespace

policy_status::view policy_status::now() const
{
    const std::lock_guard hold{mutex_};
    return view_;
}

void policy_status::succeeded(wall_time now)
{
    view_.last_reload_ok = true;
    view_.last_success = now;
    view_.last_error.clear();
    view_.waiting.clear();
}

void policy_status::took_effect(std::shared_ptr<const policy> rules, wall_time now)
{
    auto who = responsible_of(*rules);
    const std::lock_guard hold{mutex_};
    if (view_.generation > 0) ++view_.reloads_ok;
    ++view_.generation;
    responsible_[view_.generation % responsible_.size()] = std::move(who);
    sha256_[view_.generation % sha256_.size()] = rules->settings().sha256;
    view_.rules = std::move(rules);
    succeeded(now);
}

void policy_status::renewed()
{
    const std::lock_guard hold{mutex_};
    const auto before = view_.generation++;
    responsible_[view_.generation % responsible_.size()] = responsible_[before % responsible_.size()];
    sha256_[view_.generation % sha256_.size()] = sha256_[before % sha256_.size()];
}

void policy_status::failed(std::string error, load_refusal why)
{
    const std::lock_guard hold{mutex_};
    ++view_.reloads_refused[why];
    view_.last_reload_ok = false;
    view_.last_error = std::move(error);
    view_.waiting.clear();
}

void policy_status::unchanged(wall_time now)
{
    const std::lock_guard hold{mutex_};
    ++view_.reloads_ok;
    succeeded(now);
}

void policy_status::approved(approval_state a)
{
    const std::lock_guard hold{mutex_};
    view_.approvals = std::move(a);
}

void policy_status::waits(std::string why)
{
    const std::lock_guard hold{mutex_};
    view_.waiting = std::move(why);
}

void policy_status::still_held(std::size_t former)
{
    const std::lock_guard hold{mutex_};
    view_.former = former;
}

void policy_status::start()
{
    const std::lock_guard hold{mutex_};
    view_.started = true;
}

void policy_status::drain()
{
    const std::lock_guard hold{mutex_};
    view_.draining = true;
}

std::string policy_status::sha256(std::uint64_t generation) const
{
    const std::lock_guard hold{mutex_};
    const bool known = generation > 0 && generation <= view_.generation && view_.generation - generation < sha256_.size();
    return known ? sha256_[generation % sha256_.size()] : std::string{};
}

std::shared_ptr<const responsible_by_rule> policy_status::responsible(std::uint64_t generation) const
{
    const std::lock_guard hold{mutex_};
    const bool known = generation > 0 && generation <= view_.generation && view_.generation - generation < responsible_.size();
    return known ? responsible_[generation % responsible_.size()] : nullptr;
}

std::string serving_status(const policy_status::view& v)
{
    const auto& s = v.rules->settings();
    const auto serial = "serial " + std::to_string(s.serial);
    if (!v.last_error.empty()) return "reload failed, " + serial + " stays in force: " + v.last_error;
    return "serving " + serial + ", sha256 " + s.sha256;
}

} // namespace exeat::ops
