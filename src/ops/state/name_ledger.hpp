// The budgets of wildcard names over restarts. Owns them; reads them back from `directory`/names when it is made and writes them there
// every limits::snapshot_interval and at a clean end, as state_file.hpp says. What cannot be known of the time before counts as half used
// (name_budget.hpp): no snapshot, one that cannot be read, or one that a crash left without its journal (name_journal.hpp) or longer ago
// than limits::snapshot_grace. Without a directory nothing is kept, and every start counts so. Throws std::system_error where it cannot be
// written at the start.
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
    void save() { file_.save(); } // at once. Throws std::system_error
    void stop() { file_.stop(); }
    std::uint64_t saves() const noexcept { return file_.saves(); } // how often; any thread

private:
    std::unique_ptr<name_budget> read(const event_log&, bool accounts_known, bool knows_all) const;
    std::string journal_path() const;
    void begin_journal();

    const event_log& log_;
    std::unique_ptr<name_budget> names_;
    std::unique_ptr<name_journal> journal_;
    std::uint64_t saves_ = 0; // when the journal was begun
    bool told_ = false;       // that it cannot be
    state_file file_;         // last: its thread uses what is above
};

} // namespace exeat::ops
