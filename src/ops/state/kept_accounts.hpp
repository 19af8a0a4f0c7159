// What clients have used of their budgets, across lists and restarts: which account each host belongs to, uploads, and names of wildcards.
#pragma once

#include <ops/state/account_ledger.hpp>
#include <ops/state/name_ledger.hpp>
#include <ops/state/upload_ledger.hpp>

#include <algorithm>

namespace exeat::ops {

struct kept_accounts {
    // Parameters as for upload_ledger.
    kept_accounts(const state_directory& d, const event_log& log, std::uint8_t client_prefix)
        : hosts{d, log, [this] { return std::min(uploads.saves(), names.saves()); }}, uploads{d, log, client_prefix, hosts.knows()},
          names{d, log, hosts.knows()}
    {}
    // Writes at once what accounts inherited. False: some of it is not on disk.
    bool save() { return !uploads.try_save() && !names.try_save(); }
    void begin() { uploads.begin(), names.begin(); } // hosts.begin() follows with the first list (succession.hpp)
    void stop() { uploads.stop(), names.stop(), hosts.stop(); }

    account_ledger hosts;
    upload_ledger uploads;
    name_ledger names; // after the uploads, which restore the time of the last run
};

} // namespace exeat::ops
