// The books of one tunnel, or of one exchange on a plain-HTTP connection: every byte is added to the worker's live counters the moment it
// moves, every request ends in exactly one decision, and the destructor closes the books with one audit line. Counts and logs; what may
// still be sent is its gate's to say. One worker's thread; lives in the frame of the coroutine that serves the request.
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

// Why a tunnel must end. Set from outside (sweep, reload, stop), or for what it may not send; the flow looks at it after each wait.
struct interruption {
    ending as;      // if the tunnel relays already
    verdict before; // if it does not yet
};

class account {
public:
    account(tunnel&, request_mode);
    account(const account&) = delete;
    account& operator=(const account&) = delete;
    ~account();

    std::uint64_t id() const noexcept { return id_; }
    request_mode mode() const noexcept { return mode_; }
    budget_minutes minute() const noexcept; // now

    // ---- how the request is decided. One that meets none of these four met an exception: it counts as denied, for overload.
    // Refused, or failed after it was opened: counted, and one audit line. Once per account; later calls do nothing.
    void denied(const refusal&); // that has a verdict
    // The client is gone before the request was open. Where the upstream was reached already, the log names it as opened and closed.
    void abandoned();
    // A CONNECT whose inside is plain HTTP: each request there has an account of its own, and this one says nothing.
    void hand_over() noexcept { handed_over_ = true; }
    // About to relay. Anything but allowed: the audit log cannot take it and must, or its client has no line left for it (rate); then
    // nothing may be relayed.
    verdict opened();

    // ---- what holds it
    upload_gate gate; // send_upstream() alone takes from it
    // To the tunnel's decision, the first or a later one: its budgets, its counters. Throws std::bad_alloc, and then the tunnel must end.
    void hold_to_decision();
    // To the throttles and budgets of detectors that are known now. Throws std::bad_alloc.
    void hold_to_findings();
    bool is_open() const noexcept { return open_; }
    // Nothing goes upstream while the audit log cannot be written and must be; the tunnel's upload waits, until
    // limits::audit_hold has passed.
    bool waits_for_log() noexcept;
    // By the worker's sweep while any upload of its tunnels waits: wakes this one when the log can be written, ends it when it has
    // waited too long. True: it goes on waiting.
    bool look_after_log() noexcept;

    // ---- what moves
    void uploaded(std::size_t bytes) noexcept;   // written to the upstream
    void downloaded(std::size_t bytes) noexcept; // read from the upstream
    void note_gate();                            // counts and logs what is new at the gate
    interruption spent() const noexcept;         // how it ends when its gate gives nothing and it does not wait
    void progress();                             // writes a progress line and sets the time of the next
    std::uint64_t bytes() const noexcept { return upload_ + download_; }
    void show_to(tunnel_list&) const; // of a tunnel that relays
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
    bool summed_ = false; // an exchange that shares its line with others
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
