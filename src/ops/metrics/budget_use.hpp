// How full the upload budgets are, the fullest first. Reading only; any thread.
#pragma once

#include <exeat/budget/budget_book.hpp>
#include <ops/policy/policy_status.hpp>

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

namespace exeat::ops {

// One account by its tightest window.
struct budget_use {
    std::optional<ip_address> client; // none: all together
    std::optional<std::string>
        entry; // or the account that entries share; none: all entries of the purpose that have no budget of their own
    enum purpose purpose = purpose::pull;
    budget_window window = budget_window::hour;
    std::uint64_t used = 0, limit = 0; // octets; of a pull, beyond what pulling costs
    std::uint64_t assumed = 0;         // octets that count as used because what was sent before the start is not known
    double share() const noexcept { return static_cast<double>(used + assumed) / static_cast<double>(std::max<std::uint64_t>(limit, 1)); }
};

// At most `most` of the accounts that have a limit and used any of it.
std::vector<budget_use> fullest_budgets(budget_book&, const policy_status::view&, std::size_t most);

} // namespace exeat::ops
