#include <exeat/budget/new_host_budgets.hpp>

#include <exeat/limits.hpp>

namespace exeat {

namespace {

upload_limits hourly(std::uint64_t bytes)
{
    upload_limits out;
    out.most[budget_window::hour] = bytes;
    return out;
}

} // namespace

new_host_budget::new_host_budget(std::uint64_t an_hour, budget_minutes now, budget_minutes until)
    : left_{hourly(an_hour), now}, until_{until}
{}

new_host_budgets::new_host_budgets(std::uint64_t seed, std::uint64_t an_hour)
    : seed_{seed}, an_hour_{an_hour}, held_{limits::new_hosts, {seed}}
{}

detect::client_key new_host_budgets::key_of(const ip_address& client, std::string_view host) const noexcept
{
    return {client, detect::hash_of(host, seed_)};
}

bool new_host_budgets::hold(const ip_address& client, std::string_view host, std::uint64_t already, budget_minutes now,
                            budget_minutes until)
{
    const std::lock_guard hold{mutex_};
    auto& budget = held_.use(key_of(client, host));
    if (budget && !budget->over(now)) return false;
    budget = std::make_shared<new_host_budget>(an_hour_, now, until);
    budget->overdraw(already);
    any_.store(true, std::memory_order_release);
    return true;
}

std::shared_ptr<new_host_budget> new_host_budgets::find(const ip_address& client, std::string_view host, budget_minutes now)
{
    if (!any_.load(std::memory_order_acquire)) return nullptr;
    const std::lock_guard hold{mutex_};
    const auto key = key_of(client, host);
    if (held_.look(key) == nullptr) return nullptr;
    const auto& budget = held_.use(key);
    return budget && !budget->over(now) ? budget : nullptr;
}

} // namespace exeat
