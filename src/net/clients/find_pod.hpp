// The stage that finds the pod behind a connection from a network of pods. A pod may dial before its address is known here, so its first
// connections wait, at most kubernetes_settings::wait. Worker's thread.
#pragma once

#include <net/refuse.hpp>

namespace exeat::net {

struct tunnel;

// Afterwards the tunnel's client belongs to a pod. pod_unknown: no pod has its address. identity_unavailable: who has it cannot be known
// now.
task<checked> find_pod(tunnel&);

// Called when pods have changed: ends the tunnel of a pod that is gone, and gives the tunnel what is new about its pod.
void check_pod(tunnel&) noexcept;

} // namespace exeat::net
