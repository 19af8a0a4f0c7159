#include <net/dns/dns_cache.hpp>

#include <algorithm>
#include <cassert>

namespace exeat::net {

namespace {

std::chrono::seconds life(const dns_answer& a)
{
    if (a.failed) return limits::dns_negative_ttl;
    return std::clamp<std::chrono::seconds>(a.ttl, limits::dns_ttl_floor, limits::dns_ttl_ceiling);
}

std::int64_t first_second_after(dns_cache::moment at) noexcept
{
    return std::chrono::ceil<std::chrono::seconds>(at.time_since_epoch()).count();
}

std::int64_t second_of(dns_cache::moment at) noexcept { return std::chrono::floor<std::chrono::seconds>(at.time_since_epoch()).count(); }

} // namespace

const dns_answer* dns_cache::find(const std::string& name, moment now)
{
    const auto at = known_.find(name);
    if (at == known_.end()) return nullptr;
    auto& e = at->second;
    if (e.expires <= now) {
        drop(e);
        return nullptr;
    }
    used_.splice(used_.begin(), used_, used_.iterator_to(e));
    return &e.answer;
}

void dns_cache::keep(const std::string& name, dns_answer a, moment now)
{
    drop_expired(now, 1); // makes room, so that a full cache evicts a live entry only when none has expired
    auto& e = room_for(name);
    e.answer = std::move(a);
    e.expires = now + life(e.answer);
    e.hook<by_use>::unlink();
    used_.push_front(e);
    e.hook<by_expiry>::unlink();
    expiring_[static_cast<std::size_t>(first_second_after(e.expires)) % buckets].push_back(e);
    assert(known_.size() <= limits::dns_cache_entries);
}

dns_cache::entry& dns_cache::room_for(const std::string& name)
{
    if (const auto at = known_.find(name); at != known_.end()) return at->second;
    if (known_.size() >= limits::dns_cache_entries) drop(used_.back());
    const auto at = known_.try_emplace(name).first;
    at->second.name = &at->first;
    return at->second;
}

// Erases by iterator, not by key: the key is part of what is erased.
void dns_cache::drop(entry& e) noexcept { known_.erase(known_.find(*e.name)); }

// When `now` is a lap or more ahead of the last call, every bucket is due once, not once for each second.
void dns_cache::drop_expired(moment now, std::size_t most) noexcept
{
    const auto last = second_of(now);
    next_ = std::max(next_, last - static_cast<std::int64_t>(buckets) + 1);
    for (; next_ <= last; ++next_) {
        auto& due = expiring_[static_cast<std::size_t>(next_) % buckets];
        for (; !due.empty(); --most) {
            if (most == 0) return;
            drop(due.front());
        }
    }
}

} // namespace exeat::net
