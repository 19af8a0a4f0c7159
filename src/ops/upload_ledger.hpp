// The upload accounts over restarts. Owns the book; reads it back from `directory`/uploads when it is made and writes it there every
// limits::snapshot_interval, on a thread of its own, and once more at a clean end. What cannot be known of the time before counts as half
// spent (budget.hpp): no snapshot, one that cannot be read, or one that a crash left longer ago than limits::snapshot_grace.
// The snapshot's time is the least that net::wall_now() says from then on. Without a directory nothing is kept, and every start counts so.
// Of several processes with one directory, such as the old and the new one of an upgrade, one writes: the first. The next one begins with
// its last snapshot, counts for itself, and writes when the first has ended (flock(2)).
// Throws std::system_error where it cannot be written at the start.
#pragma once

#include <exeat/budget_book.hpp>
#include <exeat/rule.hpp>
#include <net/unique_fd.hpp>
#include <ops/log.hpp>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <string>
#include <system_error>
#include <thread>

namespace exeat::ops {

struct upload_snapshot;

class upload_ledger {
public:
    upload_ledger(std::string directory, const event_log&);
    ~upload_ledger();
    upload_ledger(const upload_ledger&) = delete;

    budget_book& book() noexcept { return *book_; }
    void begin(); // the thread
    void stop();  // the last snapshot, the clean one; idempotent
    // Any thread. Seconds since 1970 of the last snapshot that the disk has; 0: none.
    std::uint64_t saved_at() const noexcept { return saved_at_; }
    bool keeps() const noexcept { return keeps_; } // writes them; any thread

private:
    void open_lock();
    bool take_over(); // when nobody else writes any longer
    void read();
    void take_time_of(const upload_snapshot&);
    std::error_code write(bool clean);
    void run(std::stop_token);

    const std::string path_; // empty: nowhere
    const event_log& log_;
    std::unique_ptr<budget_book> book_;
    std::atomic<std::uint64_t> saved_at_{0};
    net::unique_fd lock_;
    std::atomic<bool> keeps_{false};
    bool failing_ = false;
    std::mutex mutex_;
    std::condition_variable_any wake_;
    std::jthread thread_;
};

} // namespace exeat::ops
