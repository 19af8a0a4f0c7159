// Whether this process should get traffic, and warnings for its operators. Pure.
#pragma once

#include <exeat/config.hpp>
#include <ops/policy/policy_status.hpp>

#include <string>
#include <vector>

namespace exeat::ops {

struct readiness {
    std::vector<std::string> reasons;  // why it is not ready; empty: ready
    std::vector<std::string> warnings; // do not affect ready()
    bool ready() const noexcept { return reasons.empty(); }
    std::string to_string() const; // one line each
};

struct audit_state {
    bool healthy = true;
    std::string error;
    audit_failure on_failure = audit_failure::deny;
};

struct machine_state {
    audit_state audit;
    bool dns_servers_named = true;
    std::string quarantine_error{}; // why the quarantines stay as they were; empty: no error
};

// The scope and end of report mode: "until 2026-12-24T00:00:00Z" for the whole list, "of training until ..." for groups.
std::string reporting_text(const policy&);

// A failed reload is a warning: the last good list is enforced, and taking every replica out of service because of a typing error would be
// an outage.
readiness judge_readiness(const policy_status::view&, const machine_state&, wall_time now);

} // namespace exeat::ops
