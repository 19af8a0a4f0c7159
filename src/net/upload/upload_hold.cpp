#include <net/upload/upload_hold.hpp>

#include <algorithm>

namespace exeat::net {

namespace {

throttle::moment now() noexcept { return std::chrono::steady_clock::now().time_since_epoch(); }

} // namespace

void upload_hold::hold_to(throttles_of_tunnel t) noexcept
{
    if (is_linked()) try_again(), tunnel_.wake();
    to_ = std::move(t);
}

void upload_hold::hold_to(std::shared_ptr<new_host_budget> b, std::uint64_t already) noexcept
{
    if (!b || b == new_host_) return;
    b->overdraw(already);
    new_host_ = std::move(b);
}

void upload_hold::wait() noexcept
{
    queue_.join(*this);
    for (auto& t : to_)
        if (t) t->waits();
}

void upload_hold::try_again() noexcept
{
    if (!is_linked()) return;
    unlink();
    for (auto& t : to_)
        if (t) t->tries_again();
}

std::uint64_t upload_hold::take(std::uint64_t want, budget_minutes minute) noexcept
{
    if (is_linked()) {
        over_new_host_ = new_host_spent(minute); // what the socket did not accept was given back: the budget may not be spent yet
        return 0;
    }
    const auto at = now();
    auto given = want;
    std::array<std::uint64_t, 2> taken{};
    for (std::size_t i = 0; i < to_.size(); ++i)
        if (to_[i]) given = taken[i] = to_[i]->take(given, at);
    const auto by_rate = given;
    if (new_host_) given = new_host_->take(given, minute);
    over_new_host_ = given < by_rate;
    for (std::size_t i = 0; i < to_.size(); ++i)
        if (to_[i]) to_[i]->give_back(taken[i] - given);
    if (given < want) wait();
    return given;
}

void upload_hold::give_back(std::uint64_t unsent) noexcept
{
    for (auto& t : to_)
        if (t) t->give_back(unsent);
    if (new_host_) new_host_->give_back(unsent);
}

bool upload_hold::slowed() const noexcept
{
    return over_new_host_ || std::any_of(to_.begin(), to_.end(), [at = now()](const auto& t) { return t && !t->ended(at); });
}

bool upload_hold::new_host_spent(budget_minutes minute) noexcept { return new_host_ && new_host_->spent(minute); }

void throttle_queue::wake() noexcept
{
    if (waiting_.empty()) return;
    waiting_.splice(waiting_.end(), waiting_, waiting_.begin());
    while (!waiting_.empty()) {
        auto& first = waiting_.front();
        first.try_again();
        first.tunnel_.wake();
    }
}

} // namespace exeat::net
