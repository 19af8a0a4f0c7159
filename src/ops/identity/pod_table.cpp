#include <ops/identity/pod_table.hpp>

#include <algorithm>
#include <cstring>
#include <functional>
#include <unordered_set>

namespace exeat::ops {

std::size_t pod_table::address_hash::operator()(const ip_address& a) const noexcept
{
    return std::hash<std::string_view>{}({reinterpret_cast<const char*>(a.octets.data()), a.octets.size()});
}

bool pod_table::counts(const ip_address& a) const noexcept
{
    return std::any_of(networks_.begin(), networks_.end(), [&](const ip_prefix& n) { return n.contains(a); });
}

void pod_table::claim(const shared_pod& p)
{
    for (const auto& a : p->addresses) {
        if (!counts(a)) continue;
        touched_.insert(a);
        auto& all = claims_[a];
        all.push_back(p);
        if (all.size() > 1) contested_.insert(a);
    }
}

void pod_table::release(const shared_pod& p)
{
    for (const auto& a : p->addresses) {
        const auto at = claims_.find(a);
        if (at == claims_.end()) continue;
        touched_.insert(a);
        std::erase(at->second, p);
        if (at->second.size() < 2) contested_.erase(a);
        if (at->second.empty()) claims_.erase(at);
    }
}

void pod_table::put(const pod_report& r)
{
    const auto& p = *r.pod;
    const auto known = pods_.find(p.uid);
    const bool counted = r.apart.empty() && std::any_of(p.addresses.begin(), p.addresses.end(), [&](const auto& a) { return counts(a); });
    if (!counted) return remove(p.uid);
    if (known != pods_.end() && *known->second == p) return; // so that nobody has to look at its tunnels
    if (known != pods_.end()) release(known->second);
    pods_[p.uid] = r.pod;
    claim(r.pod);
}

void pod_table::remove(std::string_view uid)
{
    const auto known = pods_.find(std::string{uid});
    if (known == pods_.end()) return;
    release(known->second);
    pods_.erase(known);
}

void pod_table::replace(const std::vector<pod_report>& all)
{
    std::unordered_set<std::string_view> named;
    for (const auto& r : all) named.insert(r.pod->uid);
    std::vector<std::string> gone;
    for (const auto& [uid, p] : pods_)
        if (!named.contains(uid)) gone.push_back(uid);
    for (const auto& uid : gone) remove(uid);
    for (const auto& r : all) put(r);
}

std::vector<pod_index::change> pod_table::take_changes()
{
    std::vector<pod_index::change> out;
    for (const auto& a : std::exchange(touched_, {})) {
        const auto claimed = claims_.find(a);
        const auto holder = claimed != claims_.end() && claimed->second.size() == 1 ? claimed->second.front() : nullptr;
        auto& told = told_[a];
        if (told != holder) out.push_back({a, told = holder});
        if (!holder) told_.erase(a);
    }
    return out;
}

} // namespace exeat::ops
