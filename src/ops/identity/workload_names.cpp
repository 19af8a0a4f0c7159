#include <ops/identity/workload_names.hpp>

#include <exeat/client.hpp>
#include <exeat/identity/workload_key.hpp>
#include <exeat/limits.hpp>

#include <fmt/format.h>
#include <functional>
#include <string_view>

namespace exeat::ops {

std::size_t workload_names::hash::operator()(const ip_address& a) const noexcept
{
    return std::hash<std::string_view>{}({reinterpret_cast<const char*>(a.octets.data()), a.octets.size()});
}

void workload_names::put(const ip_address& key, workload who)
{
    const auto at = known_.find(key);
    if (at != known_.end()) {
        at->second.who = std::move(who);
        order_.splice(order_.end(), order_, at->second.used);
        return;
    }
    order_.push_back(key);
    known_.emplace(key, entry{std::move(who), std::prev(order_.end())});
    // Twice the pods, because each has two keys.
    while (known_.size() > 2 * (limits::pods + limits::pods_gone)) {
        const auto gone = known_.find(order_.front());
        for (const auto& a : gone->second.who.pod->addresses)
            if (const auto last = last_at_.find(a); last != last_at_.end() && last->second == order_.front()) last_at_.erase(last);
        known_.erase(gone);
        order_.pop_front();
    }
}

void workload_names::learn(std::span<const pod_index::change> all)
{
    const std::lock_guard hold{lock_};
    for (const auto& c : all) {
        if (!c.pod) continue;
        put(c.pod->instance, {c.pod, false});
        put(c.pod->identity, {c.pod, true});
        last_at_[c.address] = c.pod->instance;
    }
}

workload_names::workload workload_names::find(const ip_address& key) const
{
    if (!is_workload_key(key)) return {};
    const std::lock_guard hold{lock_};
    const auto at = known_.find(key);
    return at == known_.end() ? workload{} : at->second.who;
}

ip_address workload_names::client_at(const ip_address& address) const
{
    const std::lock_guard hold{lock_};
    const auto at = last_at_.find(address);
    return at == last_at_.end() ? address : at->second;
}

std::string workload_names::text(const ip_address& key, std::uint8_t v6_bits) const
{
    if (!is_workload_key(key)) return key_text(key, v6_bits);
    const auto who = find(key);
    if (!who.pod) return fmt::format("a former workload ({})", key.to_string());
    if (who.of_identity) return "service account " + who.pod->service_account;
    return fmt::format("pod {}/{} ({})", who.pod->space, who.pod->name, who.pod->addresses.front().to_string());
}

ip_address workload_names::address(const ip_address& key) const
{
    if (!is_workload_key(key)) return key;
    const auto who = find(key);
    return who.pod ? who.pod->addresses.front() : ip_address{};
}

} // namespace exeat::ops
