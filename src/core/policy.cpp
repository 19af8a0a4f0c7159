#include <exeat/policy.hpp>

#include <exeat/budget/budget_book.hpp>

#include <algorithm>
#include <cassert>

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
    for (const auto& g : groups_) total += g.name.capacity() + g.sources.capacity() * sizeof(ip_prefix);
    return total;
}

struct policy_builder::parts {
    explicit parts(std::uint64_t seed) : names{seed} {}
    std::vector<group> groups;
    std::vector<rule> rules;
    name_index_builder names;
    std::vector<denied_networks::entry> denied;
};

policy_builder::policy_builder(std::uint64_t seed) : parts_{std::make_unique<parts>(seed)} {}
policy_builder::~policy_builder() = default;
policy_builder::policy_builder(policy_builder&&) noexcept = default;

std::size_t policy_builder::add_group(group g)
{
    assert(parts_->groups.size() < limits::groups);
    parts_->groups.push_back(std::move(g));
    return parts_->groups.size() - 1;
}

rule_index policy_builder::add_rule(rule r)
{
    std::sort(r.ports.begin(), r.ports.end());
    r.id = budget_key::id_of(r.name);
    parts_->rules.push_back(std::move(r));
    return static_cast<rule_index>(parts_->rules.size() - 1);
}

void policy_builder::add_host(rule_index rule, const host_pattern& host)
{
    assert(rule < parts_->rules.size());
    parts_->names.add(rule, host);
    const bool denied = host.base.address() && parts_->rules[rule].kind == rule_kind::deny;
    if (denied) add_network(rule, {*host.base.address(), whole_address});
}

void policy_builder::add_network(rule_index rule, const ip_prefix& network)
{
    assert(rule < parts_->rules.size() && parts_->rules[rule].kind == rule_kind::deny);
    parts_->denied.push_back({network, rule});
}

rule& policy_builder::rule_at(rule_index i) noexcept { return parts_->rules[i]; }
group& policy_builder::group_at(std::size_t i) noexcept { return parts_->groups[i]; }

namespace {

rule reported_rule(protocol as)
{
    rule r;
    r.name = "_report";
    r.protocol = as;
    r.id = budget_key::id_of(r.name);
    r.slot = reported_rule_slot;
    return r;
}

} // namespace

policy policy_builder::finish(policy_settings settings) &&
{
    policy out;
    out.settings_ = std::move(settings);
    out.rules_ = std::move(parts_->rules);
    out.groups_ = std::move(parts_->groups);
    out.sources_ = policy::disjoint_ranges(out.groups_);
    if (out.settings_.report) out.reports_.set();
    for (std::size_t i = 0; i < out.groups_.size(); ++i)
        if (out.groups_[i].report) out.reports_.set(i);
    out.names_ = std::move(parts_->names).finish();
    out.denied_ = denied_networks{std::move(parts_->denied)};
    out.reported_tls_ = reported_rule(protocol::tls);
    out.reported_http_ = reported_rule(protocol::http);
    return out;
}

} // namespace exeat
