#include <net/clients/pod_view.hpp>

#include <algorithm>

namespace exeat::net {

pod_view::place::place(pod_view& v, waiter& w, const ip_address& of) noexcept : view_{v}, wake_{w}, of_{of}
{
    ++view_.waiting_;
    view_.places_.push_back(*this);
}

pod_view::place::~place() { --view_.waiting_; }

std::size_t pod_view::count(const ip_address& of) const noexcept
{
    return static_cast<std::size_t>(std::count_if(places_.begin(), places_.end(), [&](const place& p) { return p.of_ == of && !p.lost_; }));
}

// Only who waits pays for the counts, and few do.
bool pod_view::has_room(const ip_address& of) noexcept
{
    const auto mine = count(of);
    if (waiting_ < limits::pod_waits) return mine < limits::pod_waits_of_one;
    std::size_t looks = limits::pod_waits_of_one;
    for (auto p = places_.begin(); mine == 0 && p != places_.end() && looks > 0; ++p) {
        if (p->lost_) continue;
        --looks;
        if (count(p->of_) < 2) continue;
        p->lost_ = true;
        p->wake_.wake();
        return true;
    }
    return false;
}

bool pod_view::covers(const ip_address& a) const noexcept { return settings_.covers(a); }

std::shared_ptr<const pod> pod_view::find(const ip_address& a) const noexcept
{
    if (source() == pod_source::stale && !settings_.keeps_stale) return nullptr;
    const auto* found = now_ ? now_->pods.find(a) : nullptr;
    return found == nullptr ? nullptr : *found;
}

const pod* pod_view::holder(const ip_address& a) const noexcept
{
    const auto* found = now_ ? now_->pods.find(a) : nullptr;
    return found == nullptr ? nullptr : found->get();
}

void pod_view::adopt(std::shared_ptr<const pod_snapshot> next) noexcept
{
    now_ = std::move(next);
    changed_ = true;
    for (auto& p : places_) p.wake_.wake();
}

} // namespace exeat::net
