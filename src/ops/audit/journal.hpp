// The audit log's writer: one thread that moves the workers' events from their rings to a file, one JSON line per event, chained by number
// and hash. Workers never wait for it. When the file cannot be written, nothing is lost: lines are kept (limits::audit_buffer_bytes) and
// retried, healthy() becomes false, and once the buffer is full the rings fill up, which the workers see. While the file's volume is nearly
// full, only allowed requests, findings and process events get their lines; the others are counted, and one line reports their number once
// there is room. With checkpoints, the first open compares the file with the anchor; missing lines are reported in a line, and the log
// continues. Functions: any thread.
#pragma once

#include <exeat/config.hpp>
#include <net/audit/audit_ring.hpp>
#include <ops/audit/audit_checkpoints.hpp>
#include <ops/audit/audit_line.hpp>
#include <ops/detection/detection.hpp>
#include <ops/evidence/audit_file.hpp>

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

namespace exeat::ops {

class journal {
public:
    // Opens `path` ("stdout" or a file) before it returns; see healthy(). Rings, labels and status outlive the journal. A detection gets
    // every record once it is formatted, and each finding is logged in a line after it.
    journal(std::string path, std::vector<net::audit_ring*> rings, const label_registry&, const policy_status&, detection* = nullptr,
            std::uint8_t client_prefix = whole_address, const audit_rotation& = {}, std::unique_ptr<audit_checkpoints> = {},
            const workload_names* = nullptr);
    ~journal(); // stop()
    journal(const journal&) = delete;
    journal& operator=(const journal&) = delete;

    void note(process_event);
    void reopen(); // after a rotation: the chain continues in the new file
    void stop();   // writes what is left, for at most limits::audit_stop_time; idempotent

    const std::atomic<bool>& healthy() const noexcept { return healthy_; }
    // The thread increments signs() every limits::audit_poll, but not while its disk does not respond. A watcher that sees no change for
    // limits::audit_away calls is_away(); the thread's next write makes it healthy again.
    std::uint64_t signs() const noexcept { return signs_; }
    void is_away();
    std::string last_error() const; // one line; empty when healthy
    // The volume is full, so the log recovers once there is room.
    bool waits_for_room() const noexcept { return no_room_; }
    bool low_on_space() const noexcept { return low_; }
    const audit_checkpoints* checkpoints() const noexcept { return points_.get(); } // null: no checkpoints

    struct stats {
        std::uint64_t written = 0;  // lines that the kernel accepted
        std::uint64_t retried = 0;  // lines that had to wait because a write failed, each counted once
        std::uint64_t dropped = 0;  // lost events: at the end, or notes beyond limits::audit_notes
        std::uint64_t errors = 0;   // failed attempts to open, write or rotate
        std::uint64_t withheld = 0; // events without a line because the volume was nearly full
    };
    stats counts() const noexcept;

private:
    using clock = std::chrono::steady_clock;
    void run(std::stop_token);
    bool turn(bool at_end = false); // true: there is more to do at once
    void last_turns();
    bool begin();
    void go_on();
    void checkpoint(checkpoint_reason);
    bool is_at_rest() const noexcept;
    bool gather();
    void add(const auto& event);
    void watch(const net::audit_record&);
    void take_notes();
    void take_start();
    bool take(net::audit_ring&);
    void flush(bool now = false);
    void wrote(std::size_t octets);
    void failed(const std::error_code&, std::string_view what, std::string_view advice = {});
    std::error_code probe();
    void look_after_file();
    void look_after_space(bool at_end);
    bool file_is_full() const noexcept;
    bool next_file();
    bool withholds(const net::audit_record&) const noexcept;
    void leave_file();
    bool full() const noexcept { return pending_.size() >= limits::audit_buffer_bytes; }

    const std::vector<net::audit_ring*> rings_;
    audit_file file_;
    audit_line line_;
    audit_chain chain_;
    detection* const detection_;
    const audit_rotation rotation_;
    const std::unique_ptr<audit_checkpoints> points_;
    std::vector<anomaly_event> anomalies_;
    bool begun_ = false;           // the file was open once, so the chain has its start
    bool heard_ = false;           // a record came from a ring
    std::string pending_;          // whole lines; the first may be written in part
    std::size_t begun_octets_ = 0; // of the first pending line, already in the file
    std::uint64_t pending_lines_ = 0, late_lines_ = 0;
    std::uint64_t withheld_since_ = 0; // since the last line that reported their number
    std::uint64_t file_octets_ = 0;    // size of the file after the last write
    clock::time_point retry_at_{}, probe_at_{}, look_at_{}, space_at_{}, rotate_at_{};

    std::atomic<bool> healthy_{false}, reopen_{false}, no_room_{false}, low_{false};
    std::atomic<std::uint64_t> written_{0}, retried_{0}, dropped_{0}, errors_{0}, withheld_{0}, signs_{0};
    mutable std::mutex mutex_; // guards notes_ and error_
    std::condition_variable_any wake_;
    std::deque<process_event> notes_;
    std::string error_;
    std::jthread thread_; // last, because it uses all others
};

// Appends the line of one event; if that throws, pending_ is unchanged.
void journal::add(const auto& event)
{
    const auto before = pending_.size();
    try {
        line_.append(pending_, event, chain_);
    } catch (...) {
        pending_.resize(before);
        throw;
    }
    ++pending_lines_;
    if (points_) points_->logged();
}

} // namespace exeat::ops
