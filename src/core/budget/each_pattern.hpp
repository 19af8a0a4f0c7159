// The host patterns of a policy as marks. Private to core.
#pragma once

#include <exeat/budget/accounts.hpp>
#include <exeat/policy.hpp>

#include "host_marks.hpp"

#include <span>
#include <string_view>
#include <vector>

namespace exeat {

// Visits the patterns of the entries that have a holding, each with the index of the holding.
void each_pattern(const policy& rules, const std::vector<holding>& of, auto&& visit)
{
    constexpr auto none = ~std::size_t{0};
    std::vector<std::size_t> index(rules.rules().size(), none);
    std::size_t next = 0; // holdings are in the order of the entries
    for (std::size_t i = 0; i < index.size() && next < of.size(); ++i)
        if (rules.rules()[i].id == of[next].entry) index[i] = next++;
    rules.names().each_naming([&](std::string_view base, host_pattern::reach how, std::span<const rule_index> all) {
        const host_marks marks{base, how};
        for (const auto r : all)
            if (index[r] != none) visit(marks, index[r]);
    });
    for (std::size_t i = 0; i < index.size(); ++i) // a pinned address is the same host under any name
        for (const auto& a : rules.rules()[i].addresses)
            if (index[i] != none) visit(host_marks{a.to_string(), host_pattern::reach::exact}, index[i]);
}

} // namespace exeat
