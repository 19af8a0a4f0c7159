// The upload accounts across restarts. Owns the book; reads it from `directory`/uploads on construction and writes it there every
// limits::snapshot_interval and at a clean end (state_file.hpp). What was used since the last snapshot of a killed process is in its tally
// (tally_file.hpp).
//
// When earlier usage is unknown, half counts as spent (budget.hpp): there is no snapshot and no init mark (init_mark.hpp); the snapshot
// cannot be read; a crash left it without its tally, or longer ago than limits::snapshot_grace; the audit log shows it to be older than the
// end of that run; or its file of accounts is lost (account_ledger.hpp).
// The time that the last run was certain of is from then on the minimum of net::wall_now(). Without a directory nothing is kept, and half
// counts as spent at every start. Throws std::system_error when the file cannot be written at the start.
#pragma once

#include <exeat/budget/budget_book.hpp>
#include <exeat/client.hpp>
#include <exeat/rule.hpp>
#include <ops/state/state_file.hpp>
#include <ops/state/tally_file.hpp>

#include <memory>
#include <string>

namespace exeat::ops {

struct upload_snapshot;

class upload_ledger {
public:
    // `client_prefix`: how many bits of an IPv6 address identify a client. `accounts_known`: see account_ledger::knows().
    upload_ledger(const state_directory&, const event_log&, std::uint8_t client_prefix = whole_address, bool accounts_known = true);
    upload_ledger(const upload_ledger&) = delete;

    budget_book& book() noexcept { return *book_; }
    void begin() { file_.begin(limits::snapshot_interval); }
    std::error_code try_save() { return file_.try_save(); } // at once
    void stop() { file_.stop(); }
    std::uint64_t saves() const noexcept { return file_.saves(); } // number of saves; any thread
    // Any thread. The time of the last snapshot on disk, in seconds since 1970; 0: none.
    std::uint64_t saved_at() const noexcept { return file_.saved_at(); }
    bool keeps() const noexcept { return file_.keeps(); }
    // Until when half of the budgets of each window counts as spent, and why.
    struct half_spent {
        per_window<std::optional<wall_time>> until; // empty: nothing counts as spent in this window
        std::string why;
        bool any() const noexcept { return until.back().has_value(); } // the longest window is the last to end
    };
    half_spent half() const;

private:
    void read(std::uint8_t client_prefix, bool accounts_known, bool knows_all);
    void begin_anew(budget_minutes now, std::optional<budget_minutes> forgot);
    void begin_half_spent(budget_minutes now, std::string why);
    std::optional<left_tally> left() const;
    std::string tally_path() const;
    void attach();
    void say_half_spent() const;
    void take_time_of(const upload_snapshot&);
    void take_time_left_by_another() const;

    const event_log& log_;
    tally_file tally_;
    std::unique_ptr<budget_book> book_;
    std::string why_half_; // why half counts as spent
    state_file file_;      // last, because its thread uses the book
};

} // namespace exeat::ops
