// The budgets of wildcard names across restarts. Owns them; reads them from `directory`/names on construction and writes them there every
// limits::snapshot_interval and at a clean end (state_file.hpp). When earlier use is unknown, half counts as used (name_budget.hpp): there
// is no snapshot (without an init mark), it cannot be read, or a crash left it without its journal (name_journal.hpp) or longer ago than
// limits::snapshot_grace. Without a directory nothing is kept, and half counts as used at every start. Throws std::system_error when the
// file cannot be written at the start.
#pragma once

#include <exeat/budget/name_budget.hpp>
#include <ops/state/name_journal.hpp>
#include <ops/state/state_file.hpp>

#include <memory>
#include <string>

namespace exeat::ops {

class name_ledger {
public:
    name_ledger(const state_directory&, const event_log&, bool accounts_known = true); // see account_ledger::knows()
    name_ledger(const name_ledger&) = delete;

    name_budget& names() noexcept { return *names_; }
    void begin() { file_.begin(limits::snapshot_interval); }
    std::error_code try_save() { return file_.try_save(); } // at once
    void stop() { file_.stop(); }
    std::uint64_t saves() const noexcept { return file_.saves(); } // number of saves; any thread

private:
    std::unique_ptr<name_budget> read(const event_log&, bool accounts_known, bool knows_all) const;
    std::string journal_path() const;
    void begin_journal();

    const event_log& log_;
    std::unique_ptr<name_budget> names_;
    std::unique_ptr<name_journal> journal_;
    std::uint64_t saves_ = 0; // file_.saves() when the journal was last started
    bool told_ = false;       // a failure to write the journal was logged
    state_file file_;         // last, because its thread uses the members above
};

} // namespace exeat::ops
