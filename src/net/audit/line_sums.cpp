#include <net/audit/line_sums.hpp>

#include <exeat/detect/keys.hpp>
#include <net/random_seed.hpp>

#include <algorithm>
#include <limits>
#include <new>

namespace exeat::net {

namespace {

std::uint64_t hash_of_host(const audit_record& r) noexcept
{
    static const std::uint64_t seed = random_seed();
    return detect::hash_of(r.host.str(), seed);
}

// A sum names a peer or a server name only if all its events share it.
void absorb(audit_record& sum, const audit_record& r) noexcept
{
    sum.stands_for += sum.stands_for < std::numeric_limits<std::uint32_t>::max();
    sum.upload += r.upload;
    sum.download += r.download;
    sum.duration = std::max(sum.duration, r.duration);
    sum.ech |= r.ech;
    sum.over_new_host |= r.over_new_host;
    if (sum.peer != r.peer) sum.peer = {};
    if (sum.server_name.str() != r.server_name.str()) sum.server_name = {};
}

void name_no_host(audit_record& r) noexcept
{
    r.source = r.client; // a host with IPv6 can use any number of addresses
    r.host = r.server_name = {};
    r.port = 0;
    r.peer = {};
    r.rule_slot = 0, r.rule_id = 0;
}

} // namespace

line_sums::line_sums(std::size_t most) : most_{most} { nobodys_.stands_for = 0; }

std::size_t line_sums::key_hash::operator()(const key& k) const noexcept
{
    const auto rest = (std::uint64_t{k.port} << 32) | (static_cast<std::uint64_t>(k.action) << 24) |
                      (static_cast<std::uint64_t>(k.verdict) << 16) | (static_cast<std::uint64_t>(k.ended) << 8) |
                      static_cast<std::uint64_t>(k.mode);
    const auto who = client_key_hash{}({k.client, k.group_slot}) ^ (client_key_hash{}({k.source, 0}) << 1);
    return who ^ k.host ^ ((rest ^ k.rule_id ^ (k.policy << 48)) * 0x9e3779b97f4a7c15);
}

line_sums::key line_sums::key_of(const audit_record& r) noexcept
{
    return {r.client, r.source, r.policy, r.rule_id, hash_of_host(r), r.group_slot, r.port, r.action, r.verdict, r.ended, r.mode};
}

bool line_sums::add(const audit_record& r) noexcept
{
    try {
        if (auto* sum = sum_of(r)) return absorb(*sum, r), true;
    } catch (const std::bad_alloc&) {}
    if (r.action != audit_action::deny) return false;
    add_to_nobodys(r);
    return true;
}

// Null: no room.
audit_record* line_sums::sum_of(const audit_record& r)
{
    if (const auto known = by_key_.find(key_of(r)); known != by_key_.end()) return &*known->second;
    const auto mine = of_client_.find({r.client, 0});
    const auto held = mine == of_client_.end() ? 0 : mine->second;
    if (r.action != audit_action::deny) { // an upload is always reported with its destination
        const bool room = sums_.size() < most_ / 2 && held < most_ / 8;
        return room ? begin(key_of(r), r) : nullptr;
    }
    if (held < limits::audit_client_sums) return begin(key_of(r), r);
    auto without = r;
    name_no_host(without);
    const auto k = key_of(without);
    const auto known = by_key_.find(k);
    return known != by_key_.end() ? &*known->second : begin(k, without);
}

// A sum of no events yet.
audit_record* line_sums::begin(const key& k, const audit_record& first)
{
    if (sums_.size() >= most_) return nullptr;
    sums_.push_back(first);
    try {
        by_key_.emplace(k, std::prev(sums_.end()));
        ++of_client_[{first.client, 0}];
    } catch (...) { // all three change, or none
        by_key_.erase(k);
        sums_.pop_back();
        throw;
    }
    auto& sum = sums_.back();
    sum.stands_for = 0;
    sum.upload = sum.download = 0;
    return &sum;
}

void line_sums::add_to_nobodys(const audit_record& r) noexcept
{
    if (nobodys_.stands_for == 0) {
        nobodys_ = {};
        nobodys_.action = audit_action::deny;
        nobodys_.verdict = r.verdict;
        nobodys_.policy = r.policy;
        nobodys_.id = r.id;
        nobodys_.at = r.at;
        nobodys_.stands_for = 0;
    }
    ++nobodys_.stands_for;
}

void line_sums::forget_first() noexcept
{
    const auto& first = sums_.front();
    const auto mine = of_client_.find({first.client, 0});
    if (--mine->second == 0) of_client_.erase(mine);
    by_key_.erase(key_of(first));
    sums_.pop_front();
}

std::uint64_t line_sums::events() const noexcept
{
    std::uint64_t n = nobodys_.stands_for;
    for (const auto& s : sums_) n += s.stands_for;
    return n;
}

} // namespace exeat::net
