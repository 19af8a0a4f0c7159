// A pod as the API server of Kubernetes writes it (core/v1 Pod): only the fields that exeat needs are looked at, and of these everything
// is checked, because they reach keys, logs and pages. Pure; any thread.
#pragma once

#include <exeat/identity/pod.hpp>

#include <boost/json/object.hpp>
#include <boost/system/result.hpp>
#include <memory>
#include <string>
#include <string_view>

namespace exeat::ops {

struct pod_report {
    std::shared_ptr<const exeat::pod> pod; // never null
    // Why connections from its addresses are not its own; empty: they are. A pod that has ended keeps its address in its status, and a pod
    // in the network of its node has the node's.
    std::string_view apart{};
};

// The error is a sentence without its subject.
boost::system::result<pod_report, std::string> read_pod(const boost::json::object&);
// The pod with these properties, with its keys.
exeat::pod make_pod(std::string uid, std::string space, std::string name, std::string_view account, std::vector<ip_address>);

} // namespace exeat::ops
