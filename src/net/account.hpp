// The account of one tunnel, or of one exchange on a plain-HTTP connection: every byte is added to the worker's live counters when it
// moves, every request ends in exactly one decision, and the destructor closes the account with one audit line. It counts and logs; its
// gate decides what may still be sent. One worker's thread; lives in the frame of the coroutine that serves the request.
#pragma once

#include <exeat/policy.hpp>
#include <net/audit/audit_ring.hpp>
#include <net/counters.hpp>
#include <net/loop/deadlines.hpp>
#include <net/upload/upload_gate.hpp>

#include <chrono>
#include <cstdint>
#include <string_view>

namespace exeat::net {

struct tunnel;
struct refusal;
struct client_account;
class tunnel_list;

// Why a tunnel must end. Set from outside (sweep, reload, stop), or because it may not send any more; the flow checks it after each wait.
struct interruption {
    ending as;      // when the tunnel relays already
    verdict before; // when it does not relay yet
};

class account {
public:
    account(tunnel&, request_mode);
    account(const account&) = delete;
    account& operator=(const account&) = delete;
    ~account();

    std::uint64_t id() const noexcept { return id_; }
    request_mode mode() const noexcept { return mode_; }
    budget_minutes minute() const noexcept; // the current minute

    // ---- how the request is decided. If none of these four is called, an exception ended the request: it counts as denied, for overload.
    // Refused, or failed after it was opened: counted, with one audit line. Once per account; later calls do nothing.
    void denied(const refusal&); // the refusal has a verdict
    // The client has left before the request was open. If the upstream was reached already, the log reports it as opened and closed.
    void abandoned();
    // A CONNECT tunnel that contains plain HTTP: each request inside has an account of its own, and this account logs nothing.
    void hand_over() noexcept { handed_over_ = true; }
    // Call before relaying. If the result is not `allowed`, nothing may be relayed: the audit log must but cannot be written, or the client
    // has no log line left (rate).
    verdict opened();

    // ---- restrictions
    upload_gate gate; // only send_upstream() takes from it
    // Applies the tunnel's decision, the first or a later one: its budgets and counters. Throws std::bad_alloc; then the tunnel must end.
    void hold_to_decision();
    // Applies the current throttles and budgets of the detectors. Throws std::bad_alloc.
    void hold_to_findings();
    bool is_open() const noexcept { return open_; }
    // While the audit log must but cannot be written, nothing is sent upstream: the tunnel's upload waits, for at most limits::audit_hold.
    bool waits_for_log() noexcept;
    // Called by the worker's sweep while any upload of its tunnels waits: wakes this tunnel when the log can be written, and ends it when
    // it has waited too long. False: it does not wait any more.
    bool look_after_log() noexcept;

    // ---- traffic
    void uploaded(std::size_t bytes) noexcept;   // written to the upstream
    void downloaded(std::size_t bytes) noexcept; // read from the upstream
    void note_gate();                            // counts and logs what is new at the gate
    interruption spent() const noexcept;         // how the tunnel ends when its gate grants nothing and does not wait
    void progress();                             // writes a progress line and schedules the next
    std::uint64_t bytes() const noexcept { return upload_ + download_; }
    void show_to(tunnel_list&) const; // only while the tunnel relays
    void ends(ending e) noexcept { ended_ = e; }

private:
    audit_record line(audit_action) const;
    void take_names_of_decision() noexcept;
    void attach(const rule&) noexcept;
    void detach() noexcept;
    void close_books();
    bool is_exchange() const noexcept { return mode_ == request_mode::http || mode_ == request_mode::transparent_http; }
    verdict open_lines();
    void stand_alone();

    tunnel& tunnel_;
    client_account& client_;
    const std::uint64_t id_;
    const request_mode mode_;
    bool denied_ = false, open_ = false, abandoned_ = false, handed_over_ = false, named_itself_ = false;
    bool summed_ = false; // an exchange that shares its log line with others
    ending ended_ = ending::internal_error;
    purpose purpose_ = purpose::pull;
    verdict reported_ = verdict::allowed;
    std::uint32_t rule_slot_ = 0;
    std::uint64_t rule_id_ = 0;
    std::uint64_t upload_ = 0, download_ = 0, reported_bytes_ = 0;
    std::chrono::steady_clock::time_point opened_at_{};
    tick log_deadline_ = no_deadline; // while its upload waits for the audit log
};

} // namespace exeat::net
