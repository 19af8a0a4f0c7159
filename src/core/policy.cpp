#include <exeat/policy.hpp>

#include <algorithm>

namespace exeat {

const rule* policy::denies(const group_set& of, std::uint16_t port, const ip_address& a) const noexcept
{
    const rule* found = nullptr;
    denied_.match(a, [&](rule_index i) {
        if (rules_[i].denies(of, port)) found = &rules_[i];
        return found == nullptr;
    });
    return found;
}

const rule* approval::denies(const ip_address& a) const noexcept { return policy_->denies(groups_, to_->port, a); }

std::span<const ip_address> approval::known_addresses() const noexcept
{
    if (!rule_->addresses.empty()) return rule_->addresses;
    const auto& literal = to_->host.address();
    return literal ? std::span{&*literal, 1} : std::span<const ip_address>{};
}

std::uint32_t policy::group_slot(const group_set& of) const noexcept
{
    for (std::size_t i = 0; i < groups_.size(); ++i)
        if (of[i]) return groups_[i].slot;
    return 0;
}

std::uint32_t policy::instances_of(const pod& p) const noexcept
{
    const auto of = workloads_.of(&p);
    std::uint32_t most = 0;
    for (std::size_t i = 0; i < groups_.size(); ++i)
        if (of[i] && groups_[i].workloads.any()) most = std::max(most, groups_[i].instances);
    return most == 0 ? limits::instances : most;
}

bool policy::reporting(const group_set& of, wall_time now) const noexcept { return now < settings_.report_until && (reports_ & of).any(); }

wall_time policy::next_change(wall_time now) const noexcept
{
    wall_time next = never;
    const auto consider = [&](wall_time at) {
        if (at > now) next = std::min(next, at);
    };
    consider(settings_.expires);
    if (reports_.any()) consider(settings_.report_until);
    for (const auto& r : rules_) consider(r.expires);
    return next;
}

std::size_t policy::bytes() const noexcept
{
    std::size_t total = sizeof *this + names_.bytes() + denied_.bytes() + sources_.capacity() * sizeof(source_range) +
                        rules_.capacity() * sizeof(rule) + groups_.capacity() * sizeof(group);
    for (const auto& r : rules_) {
        total +=
            r.name.capacity() + r.account.capacity() + r.owner.capacity() + r.reason.capacity() + r.ticket.capacity() + r.file.capacity();
        total += r.ports.capacity() * sizeof(std::uint16_t) + r.within.capacity() * sizeof(ip_prefix);
        total += r.addresses.capacity() * sizeof(ip_address);
    }
    for (const auto& g : groups_) {
        total += g.name.capacity() + g.sources.capacity() * sizeof(ip_prefix);
        for (const auto* words : {&g.workloads.service_accounts, &g.workloads.namespaces})
            for (const auto& w : *words) total += sizeof w + w.capacity();
    }
    return total + workloads_.bytes();
}

} // namespace exeat
