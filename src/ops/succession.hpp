// What the accounts and entries of a new list inherit from the list that it replaces. A step is made on the loader's thread and applied on
// the service's thread, before any worker uses the new list.
#pragma once

#include <ops/detection/detector_actions.hpp>
#include <ops/metrics/quarantine_watch.hpp>
#include <ops/state/kept_accounts.hpp>

#include <functional>
#include <map>
#include <string>

namespace exeat::ops {

class succession {
public:
    struct step {
        coverage next;
        account_heirs heirs;
        std::map<std::uint64_t, std::string> names; // of entries, by rule::id; empty where none inherits
        wall_time at{};                             // ends up to then are taken in
    };

    succession(kept_accounts& a, detection& l, detector_actions& d, quarantine_watch& q) noexcept
        : accounts_{a}, detectors_{l}, actions_{d}, quarantines_{q}
    {}

    // Applies the first list. Throws std::bad_alloc, and std::system_error when the state cannot be written.
    void begin(const policy&, std::uint64_t generation);
    // `at`: an entry whose end has passed by then lets nothing out. Any thread, but not during take(). Throws std::bad_alloc.
    step to(const policy&, wall_time at) const;
    // `generation` is that of the new list. Retries until there is enough memory.
    void take(step, std::uint64_t generation);
    wall_time covered() const noexcept { return covered_; } // ends of entries up to then are taken in; on take()'s thread

private:
    std::function<bool(const holding&)> use() const;

    kept_accounts& accounts_;
    detection& detectors_;
    detector_actions& actions_;
    quarantine_watch& quarantines_;
    wall_time covered_{};
};

} // namespace exeat::ops
