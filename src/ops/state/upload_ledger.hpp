// The upload accounts over restarts. Owns the book; reads it back from `directory`/uploads when it is made and writes it there every
// limits::snapshot_interval and at a clean end, as state_file.hpp says. What was taken since the last snapshot of a process that was killed
// is in its tally (tally_file.hpp).
//
// What cannot be known of the time before counts as half spent (budget.hpp): no snapshot where no operator has said that nothing was sent
// before (init_mark.hpp), one that cannot be read, one that a crash left without its tally, or together with the machine longer ago than
// limits::snapshot_grace, or one that the audit log shows to be older than that run's end; and one whose file of accounts is lost
// (account_ledger.hpp).
// The time that the last run was certain of is the least that net::wall_now() says from then on. Without a directory nothing is kept, and
// every start counts so. Throws std::system_error where it cannot be written at the start.
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
    // `client_prefix`: how many bits of an IPv6 address name a client. `accounts_known`: see account_ledger::knows().
    upload_ledger(const state_directory&, const event_log&, std::uint8_t client_prefix = whole_address, bool accounts_known = true);
    upload_ledger(const upload_ledger&) = delete;

    budget_book& book() noexcept { return *book_; }
    void begin() { file_.begin(limits::snapshot_interval); }
    void save() { file_.save(); } // at once. Throws std::system_error
    void stop() { file_.stop(); }
    std::uint64_t saves() const noexcept { return file_.saves(); } // how often; any thread
    // Any thread. Seconds since 1970 of the last snapshot that the disk has; 0: none.
    std::uint64_t saved_at() const noexcept { return file_.saved_at(); }
    bool keeps() const noexcept { return file_.keeps(); }
    // Whether half of the budgets of a window counts as spent now, until when, and why.
    struct half_spent {
        per_window<std::optional<wall_time>> until; // none: of this window nothing
        std::string why;
        bool any() const noexcept { return until.back().has_value(); } // the longest window is the last to be known
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
    std::string why_half_; // is spent
    state_file file_;      // last: its thread uses the book
};

} // namespace exeat::ops
