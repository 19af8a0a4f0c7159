// The checkpoints of one audit log: when one is due, its signature, and the copy of the last one outside of the log, in the state directory
// and for Prometheus. Constructed before the journal, which owns it and uses it on its thread; published() and the counts are for any
// thread.
#pragma once

#include <ops/approvals/signing_key.hpp>
#include <ops/audit/audit_line.hpp>
#include <ops/evidence/audit_anchor.hpp>
#include <ops/evidence/audit_file.hpp>
#include <ops/state/state_file.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <mutex>
#include <optional>
#include <string>
#include <system_error>

namespace exeat::ops {

class audit_checkpoints {
public:
    using clock = std::chrono::steady_clock;

    // Without a key the checkpoints are not signed. Throws std::system_error when the state directory cannot be written.
    audit_checkpoints(const std::string& log_path, const state_directory&, std::optional<private_key>, const event_log&);

    // The anchor of the last process, and why an existing anchor cannot be read.
    const std::optional<audit_anchor>& found() const noexcept { return found_; }
    const std::string& unreadable() const noexcept { return unreadable_; }

    void logged() noexcept { ++lines_; }                  // counts a line, also a checkpoint's; before added()
    bool anything() const noexcept { return lines_ > 0; } // lines were logged since the last checkpoint
    std::optional<checkpoint_reason> due(clock::time_point now) const noexcept;
    checkpoint_event event(checkpoint_reason);
    void added(std::uint64_t sequence, std::string_view sha256, clock::time_point now); // its line is not written yet
    bool waits() const noexcept { return waiting_.has_value(); }                        // for settle()
    std::error_code settle(const audit_file&); // once all lines are written: syncs the log, then publishes the checkpoint
    void resumed(const std::string& why);      // the file with the anchored line was rotated or removed
    void gap(const std::string& why);          // the log was changed since it was closed; needs an operator

    struct mark {
        std::uint64_t sequence = 0; // 0: there was none
        std::uint64_t hash = 0;     // first_52_bits
    };
    mark published() const;
    struct stats {
        std::uint64_t is_signed = 0, is_not = 0, failed = 0; // failed: there is a key, but it did not sign
        std::uint64_t gaps = 0;                              // at this start
    };
    stats counts() const noexcept { return {signed_, unsigned_, failed_, gaps_}; }

private:
    void read();
    void publish(const audit_anchor&);
    std::string sign(std::string_view line);

    const std::string host_, log_path_, name_;
    const event_log& log_;
    state_file file_;
    std::optional<private_key> key_;
    std::string key_id_;
    std::optional<audit_anchor> found_, waiting_;
    std::string unreadable_;
    std::uint64_t lines_ = 0;
    std::optional<clock::time_point> last_;
    std::atomic<std::uint64_t> signed_{0}, unsigned_{0}, failed_{0}, gaps_{0};
    mutable std::mutex mutex_; // guards published_
    mark published_;
};

} // namespace exeat::ops
