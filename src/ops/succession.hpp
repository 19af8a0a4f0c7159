// When a list takes the place of another: what its accounts and entries inherit, and the passing on. Made on the loader's thread, used on
// the service's, before any worker judges by the new list.
#pragma once

#include <exeat/budget_book.hpp>
#include <exeat/name_budget.hpp>
#include <ops/account_ledger.hpp>
#include <ops/detector_actions.hpp>

namespace exeat::ops {

class succession {
public:
    struct step {
        coverage next;
        account_heirs heirs;
    };

    succession(account_ledger& a, budget_book& b, name_budget& n, lookout& l, detector_actions& d) noexcept
        : accounts_{a}, uploads_{b}, names_{n}, detectors_{l}, actions_{d}
    {}

    step to(const policy&) const; // throws std::bad_alloc
    // `generation`: of the list that follows. Waits for memory.
    void take(step, std::uint64_t generation);

private:
    account_ledger& accounts_;
    budget_book& uploads_;
    name_budget& names_;
    lookout& detectors_;
    detector_actions& actions_;
};

} // namespace exeat::ops
