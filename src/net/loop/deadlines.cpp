#include <net/loop/deadlines.hpp>

namespace exeat::net {

deadlines::slot deadlines::add(waiter& who)
{
    if (free_.empty()) {
        if (entries_.size() == entries_.capacity()) entries_.reserve(2 * entries_.size() + 16);
        free_.reserve(entries_.capacity()); // so that remove() cannot fail
        entries_.emplace_back();
        free_.push_back(static_cast<slot>(entries_.size() - 1));
    }
    const auto s = free_.back();
    free_.pop_back();
    entries_[s] = entry{};
    entries_[s].who = &who;
    return s;
}

void deadlines::remove(slot s) noexcept
{
    entries_[s] = entry{};
    free_.push_back(s);
}

void deadlines::sweep(tick now) noexcept
{
    now_ = now;
    for (auto& e : entries_) {
        if (e.due > now && e.report_due > now) continue;
        if (e.due <= now) e.passed = true, e.due = no_deadline;
        if (e.report_due <= now) e.report = true, e.report_due = no_deadline;
        if (e.who) e.who->wake();
    }
}

std::array<std::int64_t, purposes> deadlines::oldest() const noexcept
{
    std::array<std::int64_t, purposes> first{};
    for (const auto& e : entries_) {
        if (!e.who || e.purpose >= purposes) continue;
        auto& f = first[e.purpose];
        if (f == 0 || e.started < f) f = e.started;
    }
    return first;
}

} // namespace exeat::net
