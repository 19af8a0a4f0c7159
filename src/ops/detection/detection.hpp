// Runs the detectors on the records of the audit log, on the journal's thread, so that no worker waits for them. Counts the findings, and
// passes those that require an action to `act`. see(): the journal's thread; all else: any thread.
#pragma once

#include <exeat/config.hpp>
#include <exeat/detect/bank.hpp>
#include <exeat/enum_array.hpp>
#include <net/audit/audit_ring.hpp>

#include <array>
#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace exeat::ops {

// A finding as it is written to the log.
struct anomaly_event {
    detect::finding what;
    detector_action action = detector_action::observe;
    double score = 0; // of the client
    std::chrono::system_clock::time_point at;
    std::uint64_t request = 0;    // the request that completed it: event.id of its line in the log
    std::uint32_t group_slot = 0; // of the client at that time
    std::string host;             // the requested host; may be empty
};

class detection {
public:
    using actor = std::function<void(const detect::finding&, detector_action)>; // for findings that are not only observed

    explicit detection(const detector_settings&);

    void on_action(actor act) { act_ = std::move(act); } // call before the first see()
    // Appends what was found. Throws std::bad_alloc.
    void see(const net::audit_record&, std::vector<anomaly_event>&);

    std::uint64_t found(detect::detector, detector_action) const noexcept;
    std::uint64_t found() const noexcept;      // by all detectors
    std::vector<anomaly_event> recent() const; // the last limits::recent_findings, the newest first
    double score(const ip_address& client, detect::moment now) const;
    std::array<detect::detector_bank::table, 7> tables() const;
    // How long a host would be new to the client if a tunnel opened now, and what the client sent to it within the last hour.
    std::optional<detect::host_history::meeting> first_contact(const ip_address& client, std::string_view host) const;

    // The state of the detectors (detector_snapshot.hpp); empty when OpenSSL provides no SHA-256. Any thread; see() waits for at most one
    // part of it. Throws std::bad_alloc.
    std::string written();
    // Restores the state that another process wrote; call before the first see(). Its last moment is at most `present`, whatever the clock
    // of that process was. False when it cannot be read. Throws std::bad_alloc.
    bool begin_with(std::string_view written, detect::moment present);

    void pass_on(const heirs_of<std::uint64_t>& entries); // throws std::bad_alloc

    static detect::moment moment_of(std::chrono::system_clock::time_point) noexcept;

private:
    struct moved {
        std::uint64_t up = 0, down = 0;
    };
    detect::flow_event event_of(const net::audit_record&);
    detect::moment time_of(const net::audit_record&) noexcept;
    void note_volume(const net::audit_record&, detect::flow_event&);

    const enum_array<detect::detector, detector_action, detect::detectors> actions_;
    const detect::thresholds than_;
    actor act_;
    mutable std::mutex mutex_; // guards the members below, except the atomic counts_
    std::uint64_t seed_;
    std::unique_ptr<detect::detector_bank> bank_;
    detect::moment now_{0};
    std::deque<anomaly_event> recent_; // the newest first

    bounded_table<detect::client_key, moved, detect::client_key_hash> told_; // the last totals of tunnels that reported progress
    detect::findings found_;
    detect::moment behind_{0}; // how far the clock was set back
    enum_array<detect::detector, enum_array<detector_action, std::atomic<std::uint64_t>, detector_action_words.size()>, detect::detectors>
        counts_{};
};

} // namespace exeat::ops
