// How the pages name a client. On the thread that answers.
#pragma once

#include <ops/metrics/metrics.hpp>

#include <boost/json/value.hpp>
#include <string>

namespace exeat::ops {

// The address of a client::key; of all pods of a service account, and of a pod that nobody remembers, what they are.
std::string client_text(const ip_address& key, const metric_sources&);
// "pod training/trainer-0 (10.42.3.7)", "service account training/trainer"; null for a client that is no workload.
boost::json::value workload_or_null(const ip_address& key, const metric_sources&);

} // namespace exeat::ops
