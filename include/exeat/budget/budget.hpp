// Upload budgets over sliding windows of an hour, a day and a week. An upload_account is the account of one key (a client at an entry, a
// client at a purpose, an entry): all workers take from it before they write, so that together they never send a byte more than its limits
// allow; the last bytes are allocated exactly.
//
// Windows slide in steps of a minute, an hour and a day, and each counts one step more than its length: any 60 minutes, 24 hours or 7 days
// lie within what is counted. Time is passed in as minutes that never go back; the caller chooses their origin.
#pragma once

#include <exeat/budget/upload_tally.hpp>
#include <exeat/enum_array.hpp>
#include <exeat/limits.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string_view>
#include <vector>

namespace exeat {

enum class budget_window : std::uint8_t { hour, day, week };
inline constexpr std::size_t budget_windows = 3;
inline constexpr enum_array<budget_window, std::string_view, budget_windows> budget_window_words{"1h", "24h", "7d"};
template <class T> using per_window = enum_array<budget_window, T, budget_windows>;

inline constexpr std::uint64_t unlimited = std::uint64_t{1} << 62; // sums with it do not overflow

// How many bytes may be uploaded within each window.
struct upload_limits {
    per_window<std::uint64_t> most{unlimited, unlimited, unlimited};
    // Only uploads beyond the usual cost of downloading count. That cost is limits::pull_tunnel_bytes for each tunnel, for at most
    // limits::pull_tunnels of them within the window, and a thousandth of the bytes downloaded, at most limits::pull_download_allowance an
    // hour.
    bool excess = false;
    std::uint32_t clients = 1; // how many clients that cost is counted for
    bool operator==(const upload_limits&) const = default;
    // What `n` clients, at least one, may upload together when each has these limits.
    upload_limits times(std::uint32_t n) const noexcept
    {
        auto out = *this;
        out.clients = n;
        for (auto& m : out.most) m = m >= unlimited / n ? unlimited : m * n;
        return out;
    }
};

using budget_minutes = std::chrono::minutes;

// One quantity over the three windows. One thread.
class sliding_sums {
public:
    void add(std::uint64_t n) noexcept;        // at the current time
    void advance(budget_minutes now) noexcept; // drops the steps that have left their windows
    const per_window<std::uint64_t>& sums() const noexcept { return sums_; }

    budget_minutes at() const noexcept { return now_; }

    // For snapshots: the value of each step of each window, the oldest first, at the time at().
    static constexpr std::size_t steps = 61 + 25 + 8;
    std::array<std::uint64_t, steps> written() const noexcept;
    void read(const std::array<std::uint64_t, steps>&, budget_minutes saved_at) noexcept; // advance() must follow

    // For inheritance.
    void raise_to(sliding_sums other) noexcept;                  // each step of each window to at least the other one's value
    void gain(sliding_sums before, sliding_sums after) noexcept; // adds the increase from `before` to `after`
    void forgive(budget_window, std::uint64_t n) noexcept;       // subtracts n from the window, oldest steps first

private:
    static constexpr per_window<std::size_t> first{0, 61, 86}, length{61, 25, 8};
    static constexpr per_window<std::int64_t> minutes_each{1, 60, 1440};
    std::int64_t step(std::size_t window) const noexcept { return now_.count() / minutes_each[window]; }
    std::uint64_t& cell(std::size_t window, std::int64_t step) noexcept
    {
        return cells_[first[window] + static_cast<std::size_t>(step) % length[window]];
    }

    budget_minutes now_{0};
    std::array<std::uint64_t, steps> cells_{};
    per_window<std::uint64_t> sums_{};
};

class upload_account {
public:
    // `forgot`: when a process started that has no record of earlier uploads. Until a window has passed since then, half of its limit
    // counts as spent, so that a crash does not reset a budget. `tally` also counts what is taken; null: nothing does. It outlives the
    // account.
    upload_account(const upload_limits&, budget_minutes now, std::optional<budget_minutes> forgot = {}, tally_record* tally = nullptr);

    // ---- any thread; no lock while the minute is the same and enough is left
    std::uint64_t take(std::uint64_t want, budget_minutes now) noexcept; // how much may be sent, at most `want`
    void overdraw(std::uint64_t n) noexcept                              // for bytes that are sent in any case
    {
        left_.fetch_sub(static_cast<std::int64_t>(n));
        if (tally_ != nullptr) tally_->taken.fetch_add(n, std::memory_order_relaxed);
    }
    void give_back(std::uint64_t unsent) noexcept
    {
        left_.fetch_add(static_cast<std::int64_t>(unsent), std::memory_order_relaxed);
        if (tally_ != nullptr) tally_->taken.fetch_sub(unsent, std::memory_order_relaxed);
    }
    void downloaded(std::uint64_t n) noexcept { down_.fetch_add(n, std::memory_order_relaxed); }
    void tunnel_opened() noexcept { tunnels_.fetch_add(1, std::memory_order_relaxed); }
    bool spent(budget_minutes now) noexcept { return room(now) == 0; }
    std::uint64_t room(budget_minutes now) noexcept; // how much could be taken now
    // The used share of the limit that is nearest to its end: from 0, nothing, to 1, all. Less than 1 also while the limits have not been
    // set.
    double share_used(budget_minutes now) noexcept;

    // ---- any thread, with a lock
    struct view {
        per_window<std::uint64_t> sent{}, counted{}; // bytes; counted: the part that counts against the limits
        per_window<std::uint64_t> assumed{};         // bytes that count as sent because there is no record of earlier uploads
        upload_limits held_to;
    };
    view look(budget_minutes now);
    // Why nothing may be sent, for the window with the least room, and when and how much may be sent again.
    struct shortage {
        budget_window window = budget_window::hour;
        std::uint64_t used = 0, assumed = 0, most = 0;
        std::chrono::minutes wait{0}; // 0: waiting does not help, because nothing may be sent at all
        std::uint64_t back = 0;       // bytes that may be sent after the wait
    };
    std::optional<shortage> lacks(budget_minutes now);      // none: something may be sent
    void hold_to(const upload_limits&, budget_minutes now); // sets the limits, as after a reload
    struct snapshot {
        std::array<std::uint64_t, sliding_sums::steps> sent{}, down{}, tunnels{};
    };
    snapshot written(budget_minutes now);
    // `more`: bytes that were sent after the snapshot, at `until` at the latest.
    struct later {
        std::uint64_t more = 0;
        budget_minutes until{0};
    };
    void read(const snapshot&, budget_minutes saved_at, const later&, budget_minutes now);
    const tally_record* tally() const noexcept { return tally_; }
    struct bequest {
        sliding_sums sent, came, opened;
    };
    bequest leaves(bool only_excess, budget_minutes now);                          // only_excess: without the usual cost of downloading
    void inherit(const bequest& before, const bequest& after, budget_minutes now); // before: a copy of this; after: the copy, raised

private:
    struct totals {
        sliding_sums sent, came, opened;
        void advance(budget_minutes now) noexcept;
    };
    void settle(budget_minutes now) noexcept; // books what was taken since the last call, advances the windows, computes what is left
    std::uint64_t usual(const totals&, std::size_t window) const noexcept;
    std::uint64_t assumed(std::size_t window, budget_minutes now) const noexcept;
    std::int64_t credit(const totals&, std::size_t window, budget_minutes now) const noexcept;
    std::int64_t credit(const totals&, budget_minutes now) const noexcept;
    std::vector<budget_minutes> changes_after(budget_minutes now) const;

    std::atomic<std::int64_t> left_{0};               // may be taken now
    std::atomic<std::int64_t> minute_{0};             // the minute for which the books are settled
    std::atomic<std::uint64_t> down_{0}, tunnels_{0}; // since the books were settled
    std::atomic<bool> excess_;
    tally_record* const tally_;

    std::mutex books_;
    upload_limits limits_;
    const std::optional<budget_minutes> forgot_;
    std::int64_t settled_ = 0; // left_ when the books were settled
    totals sums_;
};

} // namespace exeat
