// Which hosts belong to which account, across lists and restarts (accounts.hpp): read from `directory`/accounts on construction, written
// there soon after a change and at a clean end (state_file.hpp). When this file is lost but budgets were kept, a budget may belong to a
// host under another name, so all budgets count as half spent (upload_ledger.hpp, name_ledger.hpp).
#pragma once

#include <exeat/budget/accounts.hpp>
#include <ops/state/state_file.hpp>

#include <functional>
#include <mutex>

namespace exeat::ops {

class account_ledger {
public:
    // `saves`: how often the usage of the accounts has been written. This file is written only after the usage that accounts inherited
    // under a new list is on disk.
    account_ledger(const state_directory&, const event_log&, std::function<std::uint64_t()> saves);
    account_ledger(const account_ledger&) = delete;

    bool knows() const noexcept { return knows_; } // whether the previous process's file was read

    // The inheritance that would follow if the policy came into force. Any thread, but not during adopt(). Throws std::bad_alloc.
    account_heirs heirs_under(const policy&, const coverage& next) const;
    // Call when the policy has come into force. `saved`: what the accounts inherited by it is on disk. Throws std::bad_alloc.
    void adopt(coverage next, const std::function<bool(const holding&)>& used, bool saved);
    void begin(); // once the first list is adopted. Throws std::system_error when the file cannot be written
    void stop() { file_.stop(); }

private:
    void read(const event_log&);

    account_history history_;
    bool knows_ = false;
    mutable std::mutex mutex_; // guards the data that is written
    bool changed_ = true;
    const std::function<std::uint64_t()> saves_;
    std::uint64_t wait_until_ = 0; // the number of saves that must come first
    state_file file_;              // last, because its thread uses the history
};

} // namespace exeat::ops
