#include <exeat/policy_builder.hpp>

#include <exeat/budget/budget_book.hpp>

#include <algorithm>
#include <cassert>

namespace exeat {

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
    for (std::size_t i = 0; i < out.groups_.size(); ++i) {
        const auto& g = out.groups_[i];
        if (g.sources.empty() && g.workloads.any()) out.anywhere_.set(i);
        out.workloads_.add(i, g.workloads);
    }
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
