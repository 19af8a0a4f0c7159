// [[expect]]: the allowlist's own tests. One thread.
#pragma once

#include <exeat/policy.hpp>
#include <ops/section.hpp>

#include <string>
#include <vector>

namespace exeat::ops {

struct expectation {
    ip_address client;
    std::string target;
    verdict said = verdict::allowed;
    place at;
};

std::vector<expectation> read_expectations(section& root);

// Runs them as of `now`; each that fails is an error, or a warning where only a grant's expiry made it fail (a restart must not hang on
// that). In report mode the verdict is the one that "enforce" would give. A list that has expired as a whole says one thing to everybody,
// so it is not tested.
void run_expectations(const std::vector<expectation>&, const policy&, wall_time now, findings&);

} // namespace exeat::ops
