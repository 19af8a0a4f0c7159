// What one entry lets do that another one does not, for the same hosts: the terms beside hosts, ports and groups, seen from the side of who
// wants them tight. Pure; any thread.
#pragma once

#include <exeat/policy.hpp>

#include <string>
#include <vector>

namespace exeat {

struct rule_in_list {
    const rule& by;
    const policy_settings& of; // what holds for entries that say nothing themselves
};

struct changed_terms {
    std::vector<std::string> wider, narrower; // as "expires later"
};

changed_terms compare_terms(const rule_in_list& before, const rule_in_list& after, bool by_wildcard);

} // namespace exeat
