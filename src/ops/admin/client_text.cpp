#include <ops/admin/client_text.hpp>

#include <exeat/identity/workload_key.hpp>
#include <ops/identity/pod_watch.hpp>

namespace exeat::ops {

std::string client_text(const ip_address& key, const metric_sources& from)
{
    const auto& names = from.pods.names();
    const auto at = names.address(key);
    const bool one = at != ip_address{} && !names.find(key).of_identity;
    return one ? key_text(at, from.settings.network.client_prefix) : names.text(key, from.settings.network.client_prefix);
}

boost::json::value workload_or_null(const ip_address& key, const metric_sources& from)
{
    if (!is_workload_key(key)) return nullptr;
    return boost::json::value(from.pods.names().text(key, from.settings.network.client_prefix));
}

} // namespace exeat::ops
