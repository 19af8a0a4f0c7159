// The process that keeps the file of pods: `exeat identities`. It alone holds the token of the API server, and parses nothing that a client
// sends. Main thread only.
#pragma once

#include <exeat/config.hpp>
#include <ops/process/log.hpp>

namespace exeat::ops {

// Returns after SIGTERM or SIGINT, and leaves the file as it is. Throws std::runtime_error for what prevents a start.
void keep_pods(const config&, const event_log&);

} // namespace exeat::ops
