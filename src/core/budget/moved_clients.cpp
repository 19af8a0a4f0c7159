#include <exeat/budget/moved_clients.hpp>

#include <exeat/identity/workload_key.hpp>

#include <algorithm>

namespace exeat {

namespace {

std::uint64_t groups_at(const membership& of, const ip_address& a) noexcept
{
    const auto& all = of.ranges;
    const auto next = std::upper_bound(all.begin(), all.end(), a, [](const ip_address& x, const members_from& m) { return x < m.first; });
    return next == all.begin() ? 0 : std::prev(next)->groups;
}

ip_address last_of(const ip_address& key) noexcept
{
    auto out = key;
    if (key.is_v4()) return out;
    for (std::size_t i = out.octets.size(); i-- > 0;) {
        const auto octet = out.octets[i];
        out.octets[i] = static_cast<std::uint8_t>(octet | (octet - 1)); // fills the zero bits at the end
        if (octet != 0) break;
        out.octets[i] = 0xff;
    }
    return out;
}

} // namespace

moved_clients::moved_clients(const membership& before, const membership& after)
    : some_joined_{before.pods != after.pods}, pods_moved_{before.pods != after.pods}
{
    if (before == after) return;
    std::vector<ip_address> starts;
    for (const auto* side : {&before, &after})
        for (const auto& m : side->ranges) starts.push_back(m.first);
    std::sort(starts.begin(), starts.end());
    starts.erase(std::unique(starts.begin(), starts.end()), starts.end());
    bool some = false;
    for (const auto& first : starts) {
        const auto then = groups_at(before, first), now = groups_at(after, first);
        parts_.push_back({first, then != now});
        some = some || then != now;
        some_joined_ = some_joined_ || (then != now && now != 0);
    }
    if (!some) parts_.clear();
}

bool moved_clients::has(const ip_address& client) const noexcept
{
    if (client == everybody) return some_joined_;
    if (is_workload_key(client)) return any();
    const auto last = last_of(client);
    auto at = std::upper_bound(parts_.begin(), parts_.end(), client, [](const ip_address& x, const part& p) { return x < p.first; });
    if (at != parts_.begin()) --at;
    for (; at != parts_.end() && at->first <= last; ++at)
        if (at->moved) return true;
    return false;
}

} // namespace exeat
