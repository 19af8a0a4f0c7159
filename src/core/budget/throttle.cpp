#include <exeat/budget/throttle.hpp>

#include <exeat/limits.hpp>

#include <algorithm>

namespace exeat {

namespace {

__extension__ using wide = unsigned __int128; // bytes times nanoseconds

wide nanoseconds(std::chrono::nanoseconds t) noexcept { return static_cast<wide>(std::max<std::int64_t>(t.count(), 0)); }

std::uint64_t brought_by(const upload_rate& r, std::chrono::nanoseconds within) noexcept
{
    return static_cast<std::uint64_t>(r.bytes * nanoseconds(within) / nanoseconds(r.per));
}

} // namespace

bool slower(const upload_rate& a, const upload_rate& than) noexcept
{
    return a.bytes * nanoseconds(than.per) < than.bytes * nanoseconds(a.per);
}

throttle::throttle(const upload_rate& r, moment now, moment until) noexcept
    : rate_{r}, burst_{std::max(limits::throttle_burst, brought_by(r, limits::throttle_burst_time))}, began_{now}, until_{until.count()}
{}

std::uint64_t throttle::brought(moment now) const noexcept { return brought_by(rate_, now - began_); }

std::uint64_t throttle::take(std::uint64_t want, moment now) noexcept
{
    if (ended(now)) return want;
    const auto here = brought(now), most = here + burst_;
    const std::uint64_t others = waiting_.load(std::memory_order_relaxed);
    for (auto taken = taken_.load(std::memory_order_relaxed);;) {
        const auto from = std::clamp(taken, here, most);
        const auto given = std::min(want, (most - from + others) / (1 + others));
        if (given == 0) return 0;
        if (taken_.compare_exchange_weak(taken, from + given, std::memory_order_relaxed)) return given;
    }
}

// Never more than was taken: what a throttle gave after its end was not counted.
void throttle::give_back(std::uint64_t unsent) noexcept
{
    for (auto taken = taken_.load(std::memory_order_relaxed);
         !taken_.compare_exchange_weak(taken, taken - std::min(taken, unsent), std::memory_order_relaxed);) {}
}

namespace {

void make_room(throttled_clients& all)
{
    if (all.size() == limits::throttles)
        all.erase(std::min_element(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.to->until() < b.to->until(); }));
}

} // namespace

bool hold(throttled_clients& all, const ip_address& client, std::uint64_t entry, const upload_rate& rate, throttle::moment now)
{
    const auto until = now + limits::throttle_time;
    std::erase_if(all, [now](const throttled_client& t) { return t.to->ended(now); });
    const auto known =
        std::find_if(all.begin(), all.end(), [&](const throttled_client& t) { return t.client == client && t.entry == entry; });
    if (known == all.end()) {
        auto to = std::make_shared<throttle>(rate, now, until);
        make_room(all);
        all.push_back({client, entry, std::move(to)});
        return true;
    }
    if (slower(rate, known->to->rate())) {
        known->to = std::make_shared<throttle>(rate, now, until);
        return true;
    }
    known->to->hold_until(until);
    return false;
}

bool pass_on(throttled_clients& all, const heirs_of<std::uint64_t>& entries)
{
    bool changed = false;
    const auto before = all;
    for (const auto& t : before) {
        if (t.entry == 0) continue;
        entries.each(t.entry, t.client, [&](std::uint64_t to) {
            const auto known =
                std::find_if(all.begin(), all.end(), [&](const throttled_client& o) { return o.client == t.client && o.entry == to; });
            if (known != all.end() && !slower(t.to->rate(), known->to->rate())) return;
            changed = true;
            if (known != all.end()) known->to = t.to;
            else make_room(all), all.push_back({t.client, to, t.to});
        });
    }
    return changed;
}

} // namespace exeat
