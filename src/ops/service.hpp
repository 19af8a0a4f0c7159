// One running exeat: workers, journal, admin, reload and signals put together, from a validated config and a loaded allowlist to exit.
#pragma once

#include <exeat/config.hpp>
#include <ops/label_registry.hpp>
#include <ops/load_allowlist.hpp>
#include <ops/log.hpp>
#include <ops/policy_gate.hpp>

namespace exeat::ops {

// Serves until it is told to stop; the process's exit code. Everything that cannot be had at start (an address in use, an audit log that
// cannot be written) is one line on the log and exit code 1, before anything is accepted.
int run_service(const config&, label_registry&, policy_gate&, loaded_allowlist, const event_log&);

} // namespace exeat::ops
