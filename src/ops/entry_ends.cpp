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
        prepare(*is.rules, now);
        if (!due_ || now < *due_) return;
        due_.reset();
        if (status_.now().generation != generation_) return; // a reload has handed out another list since
        until_in_memory([&] { take_(is.rules, generation_); });
    } catch (const std::bad_alloc&) { // the next look tries again
    }
}

void entry_ends::prepare(const policy& rules, wall_time now)
{
    const auto ahead = now + limits::entry_end_lead;
    const auto ends = [&](const rule& r) { return r.kind != rule_kind::deny && r.expires > accounts_.covered() && r.expires <= ahead; };
    if (std::none_of(rules.rules().begin(), rules.rules().end(), ends)) return;
    auto step = accounts_.to(rules, ahead);
    status_.renewed();
    generation_ = status_.now().generation, due_ = ahead;
    accounts_.take(std::move(step), generation_);
}

} // namespace exeat::ops
