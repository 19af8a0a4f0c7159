// Compares what two entries allow for the same hosts: the terms other than hosts, ports and groups, from the point of view of a reviewer
// who wants them tight. Pure; any thread.
#pragma once

#include <exeat/policy.hpp>

#include <string>
#include <vector>

namespace exeat {

struct rule_in_list {
    const rule& by;
    const policy_settings& of;                   // the defaults for entries that set nothing themselves
    std::uint32_t instances = limits::instances; // of the client's service account
};

struct changed_terms {
    std::vector<std::string> wider, narrower; // for example "expires later"
};

changed_terms compare_terms(const rule_in_list& before, const rule_in_list& after, bool by_wildcard);

} // namespace exeat
