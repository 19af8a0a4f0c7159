// [[expect]]: the allowlist's own tests. One thread.
#pragma once

#include <exeat/address_class.hpp>
#include <exeat/policy.hpp>
#include <ops/text/section.hpp>

#include <string>
#include <vector>

namespace exeat::ops {

struct expectation {
    ip_address client;
    std::string service_account; // of the pod that the client is; empty: it is none
    std::string target;
    enum verdict verdict = verdict::allowed;
    place at;
};

std::string to_string(const expectation&); // "10.42.3.7 to pkg.test:443: allowed"

std::vector<expectation> read_expectations(section& root);

// Runs them as of `now`, with the addresses that are known without a look-up: a target that is an address, and those that a private link
// pins. Each failure is an error, or a warning when only the expiry of an entry caused it (a restart must not depend on that). In report
// mode the verdict is the one that "enforce" would give. A list that has expired as a whole denies everything, so it is not tested.
void run_expectations(const std::vector<expectation>&, const policy&, wall_time now, const site_networks&, diagnostics&);

} // namespace exeat::ops
