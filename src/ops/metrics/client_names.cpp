#include <ops/metrics/metric_families.hpp>

namespace exeat::ops {

std::string client_label(const std::vector<std::string>& groups, const net::client_key& key, const network_settings& network)
{
    return groups[key.group_slot < groups.size() ? key.group_slot : label_registry::no_group] + "/" +
           key_text(key.source, network.client_prefix);
}

client_names::client_names(const metric_sources& from, const client_series::series_map& named)
    : network_{from.settings.network}, groups_{from.labels.groups()}, rules_{from.policy.now().rules}
{
    for (const auto& [key, s] : named) known_.emplace(key.source, key);
}

std::string client_names::of(const ip_address& client) const
{
    if (const auto known = known_.find(client); known != known_.end()) return client_label(groups_, known->second, network_);
    return client_label(groups_, {client, rules_ ? rules_->group_slot(rules_->groups_of(client)) : label_registry::no_group}, network_);
}

} // namespace exeat::ops
