// Whether this process should get traffic, and what people should know besides. Pure.
#pragma once

#include <exeat/config.hpp>
#include <ops/policy/policy_status.hpp>

#include <string>
#include <vector>

namespace exeat::ops {

struct readiness {
    std::vector<std::string> reasons;  // why not; none: ready
    std::vector<std::string> warnings; // ready all the same
    bool ready() const noexcept { return reasons.empty(); }
    std::string to_string() const; // a line each
};

struct audit_state {
    bool healthy = true;
    std::string error;
    audit_failure on_failure = audit_failure::deny;
};

struct machine_state {
    audit_state audit;
    bool dns_servers_named = true;
    std::string quarantine_error{}; // why what is quarantined stays as it was; empty: nothing is wrong
};

// Whose report mode, and until when: "until 2026-12-24T00:00:00Z" of the whole list, "of training until ..." of groups.
std::string reporting_text(const policy&);

// A reload that failed is a warning: the last good list is enforced, and taking every replica out for a typing error would be an outage.
readiness judge_readiness(const policy_status::view&, const machine_state&, wall_time now);

} // namespace exeat::ops
