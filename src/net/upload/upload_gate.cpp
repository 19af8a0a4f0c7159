#include <net/upload/upload_gate.hpp>

#include <cassert>

namespace exeat::net {

void upload_gate::hold_to_budgets(upload_permit permit, on_spent action, bool cut_at_new_host) noexcept
{
    permit_ = std::move(permit);
    on_spent_ = action;
    cut_at_new_host_ = cut_at_new_host;
}

void upload_gate::hold_to_findings(throttles_of_tunnel throttles, std::shared_ptr<new_host_budget> new_host, std::uint64_t sent,
                                   waiter& tunnel, throttle_queue& queue)
{
    if (!hold_ && !throttles[0] && !throttles[1] && !new_host) return;
    if (!hold_) hold_ = std::make_unique<upload_hold>(tunnel, queue);
    hold_->hold_to(std::move(throttles));
    hold_->hold_to(std::move(new_host), sent);
}

std::size_t upload_gate::take_from_hold(std::size_t want, budget_minutes now) noexcept
{
    const auto given = static_cast<std::size_t>(hold_->take(want, now));
    const bool over = given == 0 && hold_->over_new_host(); // not earlier: what the socket does not accept is given back
    if (over && !std::exchange(over_new_host_, true)) tell_new_host_ = true;
    waits_for_rate_ = given == 0 && !(over && cut_at_new_host_);
    return given;
}

std::size_t upload_gate::take(std::size_t want, budget_minutes now) noexcept
{
    if (hold_) want = take_from_hold(want, now);
    if (want == 0) return 0;
    const auto given = static_cast<std::size_t>(permit_.take(want, now));
    assert(given <= want);
    if (given == want) return want;
    if (!std::exchange(over_budget_, true)) tell_over_budget_ = true;
    if (only_tells()) {
        permit_.overdraw(want - given);
        return want;
    }
    if (hold_) hold_->give_back(want - given);
    return given;
}

void upload_gate::give_back(std::size_t unsent) noexcept
{
    permit_.give_back(unsent);
    if (hold_) hold_->give_back(unsent);
}

bool upload_gate::waits() const noexcept { return waits_for_rate_ || (on_spent_ == on_spent::throttle && !spent_at_new_host()); }

} // namespace exeat::net
