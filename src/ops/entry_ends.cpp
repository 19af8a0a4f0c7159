#include <ops/entry_ends.hpp>

#include <exeat/limits.hpp>
#include <net/wall_clock.hpp>
#include <ops/process/until_in_memory.hpp>

#include <algorithm>
#include <boost/asio/bind_allocator.hpp>

namespace exeat::ops {

entry_ends::entry_ends(boost::asio::io_context& io, policy_status& status, succession& accounts, std::function<bool()> busy, taker take)
    : timer_{io}, status_{status}, accounts_{accounts}, busy_{std::move(busy)}, take_{std::move(take)}
{
    look();
}

void entry_ends::look()
{
    timer_.expires_after(limits::entry_end_look);
    timer_.async_wait(boost::asio::bind_allocator(memory_.memory(), [this](boost::system::error_code failed) {
        if (!failed) look();
    }));
    if (busy_()) return;
    try {
        const auto now = net::wall_now();
        const auto is = status_.now();
        if (is.generation != generation_) generation_ = is.generation, covered_ = is.last_success, due_.reset();
        prepare(is, now);
        if (!due_ || now < *due_) return;
        until_in_memory([&] { take_(status_.now().rules, generation_); });
        due_.reset();
    } catch (const std::bad_alloc&) { // the next look tries again
    }
}

void entry_ends::prepare(const policy_status::view& is, wall_time now)
{
    const auto ahead = now + limits::entry_end_lead;
    const auto ends = [&](const rule& r) { return r.kind != rule_kind::deny && r.expires > covered_ && r.expires <= ahead; };
    const auto& rules = is.rules->rules();
    if (std::none_of(rules.begin(), rules.end(), ends)) return;
    auto step = accounts_.to(*is.rules, ahead);
    status_.renewed();
    generation_ = status_.now().generation;
    covered_ = ahead, due_ = ahead;
    accounts_.take(std::move(step), generation_);
}

} // namespace exeat::ops
