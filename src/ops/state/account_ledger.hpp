// Which hosts are whose account, over lists and restarts (accounts.hpp): read back from `directory`/accounts when it is made, written there
// soon after it has changed and at a clean end, as state_file.hpp says. Where it is not known whose the hosts were, though budgets were
// kept, each budget may be that of a host under another name: all count as half spent (upload_ledger.hpp, name_ledger.hpp).
#pragma once

#include <exeat/budget/accounts.hpp>
#include <ops/state/state_file.hpp>

#include <functional>
#include <mutex>

namespace exeat::ops {

class account_ledger {
public:
    // `saves`: how often what the accounts have spent was written; what they inherited is on disk before the list that they inherited by.
    account_ledger(const state_directory&, const event_log&, std::function<std::uint64_t()> saves);
    account_ledger(const account_ledger&) = delete;

    bool knows() const noexcept { return knows_; } // what the process before it wrote

    // What follows if the policy comes into force. Any thread, while none adopts. Throws std::bad_alloc.
    account_heirs heirs_under(const policy&, const coverage& next) const;
    // It has. Throws std::bad_alloc.
    void adopt(coverage next, const std::function<bool(const holding&)>& used);
    void begin(); // once the first list is adopted. Throws std::system_error where it cannot be written
    void stop() { file_.stop(); }

private:
    void read(const event_log&);

    account_history history_;
    bool knows_ = false;
    mutable std::mutex mutex_; // of what is written
    bool changed_ = true;
    const std::function<std::uint64_t()> saves_;
    std::uint64_t wait_until_ = 0; // as many saves
    state_file file_;              // last: its thread uses the history
};

} // namespace exeat::ops
