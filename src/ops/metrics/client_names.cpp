#include <ops/metrics/metric_families.hpp>

#include <ops/identity/pod_watch.hpp>

namespace exeat::ops {

std::string client_label(const std::vector<std::string>& groups, const net::client_key& key, const network_settings& network)
{
    return groups[key.group_slot < groups.size() ? key.group_slot : label_registry::no_group] + "/" +
           key_text(key.source, network.client_prefix);
}

client_names::client_names(const metric_sources& from, const client_series::series_map& named)
    : network_{from.settings.network}, workloads_{from.pods.names()}, groups_{from.labels.groups()}, rules_{from.policy.now().rules}
{
    for (const auto& [key, s] : named) known_.emplace(key.source, key);
}

std::string client_names::of(const ip_address& client) const
{
    const auto who = workloads_.find(client);
    const auto group = [&](const ip_address& at) {
        return rules_ ? rules_->group_slot(rules_->groups_of(at, who.pod.get())) : label_registry::no_group;
    };
    const auto at = workloads_.address(client);
    if (who.of_identity) return groups_[group(at)] + '/' + who.pod->service_account;
    if (at == ip_address{}) return client_label(groups_, {client, label_registry::no_group}, network_);
    if (const auto known = known_.find(at); known != known_.end()) return client_label(groups_, known->second, network_);
    return client_label(groups_, {at, group(at)}, network_);
}

} // namespace exeat::ops
