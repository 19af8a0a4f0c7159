// One running exeat process: connects workers, journal, admin, reload and signals, and runs from a validated config and a loaded allowlist
// until exit.
#pragma once

#include <exeat/config.hpp>
#include <ops/approvals/policy_gate.hpp>
#include <ops/policy/label_registry.hpp>
#include <ops/policy/load_allowlist.hpp>
#include <ops/process/log.hpp>

#include <string>

namespace exeat::ops {

struct settings_file {
    watched_file file; // exeat.toml, as it was before it was read
    std::string sha256;
};

// Serves until a signal stops it, and returns the process's exit code. A failure at start (an address in use, an audit log that cannot be
// written) is one line on the log and exit code 1, before any connection is accepted. SIGHUP and SIGUSR1 that the caller has blocked until
// this call are handled once it serves.
int run_service(const config&, const settings_file&, label_registry&, policy_gate&, loaded_allowlist, const event_log&);

} // namespace exeat::ops
