// The detectors at work: fed with the records that the audit log gets, on the journal's thread, so that no worker waits for them. Keeps
// what it found in counters, and hands what must be acted upon to `act`. see(): the journal's thread; all else: any thread.
#pragma once

#include <exeat/config.hpp>
#include <exeat/detect/bank.hpp>
#include <net/audit_ring.hpp>
#include <ops/label_registry.hpp>

#include <array>
#include <atomic>
#include <deque>
#include <functional>
#include <mutex>
#include <vector>

namespace exeat::ops {

// A finding as the log tells it.
struct anomaly_event {
    detect::finding what;
    detector_action action = detector_action::observe;
    double score = 0; // of the client
    std::chrono::system_clock::time_point at;
};

class lookout {
public:
    using actor = std::function<void(const detect::finding&, detector_action)>; // for findings that are not only observed

    // The labels outlive it.
    lookout(const label_registry&, const detector_settings&);

    void on_action(actor act) { act_ = std::move(act); } // before the first see()
    // Appends what was found. Throws std::bad_alloc.
    void see(const net::audit_record&, std::vector<anomaly_event>&);

    std::uint64_t found(detect::detector, detector_action) const noexcept;
    std::uint64_t found() const noexcept;      // by all together
    std::vector<anomaly_event> recent() const; // the last limits::recent_findings, the newest first
    double score(const ip_address& client, detect::moment now) const;
    std::array<detect::detector_bank::table, 7> tables() const;

    static detect::moment moment_of(std::chrono::system_clock::time_point) noexcept;

private:
    struct moved {
        std::uint64_t up = 0, down = 0;
    };
    detect::flow_event event_of(const net::audit_record&);
    void note_volume(const net::audit_record&, detect::flow_event&);

    const label_registry& labels_;
    const std::array<detector_action, detect::detectors> actions_;
    actor act_;
    mutable std::mutex mutex_; // of the bank
    detect::detector_bank bank_;
    detect::bounded_table<detect::client_key, moved, detect::client_key_hash> told_; // of tunnels that have told their progress
    std::vector<purpose> purposes_;                                                  // by rule slot
    std::deque<anomaly_event> recent_;                                               // under the mutex too; the newest first
    detect::findings found_;
    detect::moment now_{0};
    std::array<std::array<std::atomic<std::uint64_t>, detector_action_words.size()>, detect::detectors> counts_{};
};

} // namespace exeat::ops
