// How full the upload budgets are, the fullest first. Reading only; any thread.
#pragma once

#include <exeat/budget/budget_book.hpp>
#include <ops/policy/policy_status.hpp>

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

namespace exeat::ops {

// One account, with its fullest window.
struct budget_use {
    std::optional<ip_address> client; // none: all clients together
    std::optional<std::string> entry; // entry or shared account; none: all entries of the purpose without a budget of their own
    enum purpose purpose = purpose::pull;
    budget_window window = budget_window::hour;
    std::uint64_t used = 0, limit = 0; // octets; for pull, beyond what pulling costs
    std::uint64_t assumed = 0;         // octets that count as used because what was sent before the start is unknown
    double share() const noexcept { return static_cast<double>(used + assumed) / static_cast<double>(std::max<std::uint64_t>(limit, 1)); }
};

// At most `most` accounts, of those that have a limit and have used some of it, the fullest first.
std::vector<budget_use> fullest_budgets(budget_book&, const policy_status::view&, std::size_t most);

} // namespace exeat::ops
