#include <net/dns_cache.hpp>

#include <exeat/limits.hpp>

#include <algorithm>

namespace exeat::net {

namespace {

std::chrono::seconds life(const dns_answer& a)
{
    if (a.failed) return limits::dns_negative_ttl;
    return std::clamp<std::chrono::seconds>(a.ttl, limits::dns_ttl_floor, limits::dns_ttl_ceiling);
}

} // namespace

const dns_answer* dns_cache::find(const std::string& name, moment now)
{
    const auto at = known_.find(name);
    if (at == known_.end()) return nullptr;
    if (at->second.expires > now) return &at->second.answer;
    known_.erase(at);
    return nullptr;
}

void dns_cache::keep(const std::string& name, dns_answer a, moment now)
{
    // Names come from the allowlist only, so a full cache is rare; which one goes does not matter then.
    if (known_.size() >= limits::dns_cache_entries && !known_.contains(name)) known_.erase(known_.begin());
    const auto until = now + life(a);
    known_.insert_or_assign(name, entry{std::move(a), until});
}

} // namespace exeat::net
