#include <ops/identity/workload_names.hpp>

#include <exeat/client.hpp>
#include <exeat/identity/workload_key.hpp>
#include <exeat/limits.hpp>

#include <fmt/format.h>
#include <functional>
#include <string_view>
#include <utility>

namespace exeat::ops {

std::size_t workload_names::hash::operator()(const ip_address& a) const noexcept
{
    return std::hash<std::string_view>{}({reinterpret_cast<const char*>(a.octets.data()), a.octets.size()});
}

void workload_names::gain(const ip_address& key, workload who)
{
    auto& e = known_[key];
    if (e.addresses == 0) gone_.erase(e.left);
    ++e.addresses;
    e.who = std::move(who);
}

void workload_names::lose(const ip_address& key)
{
    const auto at = known_.find(key);
    if (at == known_.end() || at->second.addresses == 0 || --at->second.addresses > 0) return;
    at->second.left = ++losses_;
    gone_.emplace(at->second.left, key);
}

// Each pod has two keys, of which that of its service account mostly stays.
void workload_names::forget_oldest()
{
    while (gone_.size() > limits::pods_gone) {
        const auto key = gone_.begin()->second;
        gone_.erase(gone_.begin());
        const auto at = known_.find(key);
        if (at == known_.end()) continue;
        for (const auto& a : at->second.who.pod->addresses)
            if (const auto had = at_.find(a); had != at_.end() && !had->second.now && had->second.pod->instance == key) at_.erase(had);
        known_.erase(at);
    }
}

void workload_names::learn(std::span<const pod_index::change> all)
{
    const std::lock_guard hold{lock_};
    for (const auto& c : all) {
        auto& h = at_[c.address];
        if (std::exchange(h.now, false)) lose(h.pod->instance), lose(h.pod->identity);
        if (!c.pod) continue;
        h.pod = c.pod;
        gain(c.pod->instance, {c.pod, false});
        gain(c.pod->identity, {c.pod, true});
        h.now = true;
    }
    forget_oldest();
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
    const auto at = at_.find(address);
    return at == at_.end() || !at->second.pod ? address : at->second.pod->instance;
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
