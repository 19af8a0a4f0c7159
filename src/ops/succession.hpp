// When a list takes the place of another: what its accounts and entries inherit, and the passing on. Made on the loader's thread, used on
// the service's, before any worker judges by the new list.
#pragma once

#include <ops/detection/detector_actions.hpp>
#include <ops/state/kept_accounts.hpp>

namespace exeat::ops {

class succession {
public:
    struct step {
        coverage next;
        account_heirs heirs;
    };

    succession(kept_accounts& a, detection& l, detector_actions& d) noexcept : accounts_{a}, detectors_{l}, actions_{d} {}

    // With the first list. Throws std::bad_alloc, and std::system_error where the state cannot be written.
    void begin(const policy&, std::uint64_t generation);
    step to(const policy&) const; // throws std::bad_alloc
    // `generation`: of the list that follows. Waits for memory.
    void take(step, std::uint64_t generation);

private:
    kept_accounts& accounts_;
    detection& detectors_;
    detector_actions& actions_;
};

} // namespace exeat::ops
