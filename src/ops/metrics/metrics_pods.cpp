#include <ops/identity/pod_watch.hpp>
#include <ops/metrics/metric_families.hpp>

namespace exeat::ops {

void collect_pods(families& all, const metric_sources& from)
{
    const auto& pods = from.pods;
    add(new_gauge(all, "pods_known", "Pods with an address in [kubernetes] networks."), std::uint64_t{pods.known()});
    add(new_gauge(all, "pods_contested_addresses", "Addresses that several running pods claim, so that none of them is served there."),
        std::uint64_t{pods.contested()});
    add(new_gauge(all, "pods_current",
                  "1 while it is known which pod has an address; 0: what is known is out of date, or there is no "
                  "[kubernetes]."),
        std::uint64_t{pods.has_source() && pods.source() == pod_source::current});
    add(new_gauge(all, "pods_age_seconds", "How old the last word on the pods is; 0 without [kubernetes]."),
        pods.has_source() ? static_cast<double>(pods.age().count()) : 0.0);
    add(new_counter(all, "pods_changes_total", "Addresses that went from one pod to another, to a first one or to none."), pods.changes());
    add(new_counter(all, "pods_failures_total", "Times that the pods could not be read; what was known stayed in force."), pods.failures());
}

} // namespace exeat::ops
