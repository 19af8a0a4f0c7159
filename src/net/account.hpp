// The book of one tunnel, or of one exchange on a plain-HTTP connection: every byte is added to the worker's live counters the moment it
// moves, every request ends in exactly one decision, and the destructor closes the book. One worker's thread; lives in the frame of
// the coroutine that serves the request.
#pragma once

#include <exeat/policy.hpp>
#include <net/audit_ring.hpp>
#include <net/counters.hpp>
#include <net/held_back.hpp>
#include <net/upload_permit.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string_view>

namespace exeat::net {

struct tunnel;
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

    // The request was refused, or failed after it was opened: counted, and one audit line. `host` as far as it could be read; once per
    // account.
    void denied(verdict, std::string_view host, std::uint16_t port, std::string_view server_name = {});
    // The client went away before its request was decided.
    void abandoned() noexcept;
    // A request that ends without any of these met an exception: it counts as denied, for overload.
    // About to relay. False when the audit log cannot take it and must: then nothing may be relayed.
    bool opened();
    // A reload judged the tunnel again and another rule of the same effect allows it.
    void moved_to(const rule&);
    // To the throttles and budgets of detectors that are known now. Throws std::bad_alloc.
    void hold_back();
    bool throttled() const noexcept { return held_back_ && held_back_->slowed(); } // by a detector

    // The budgets that the rule which allows it is held to. True when nothing is left of them and that must refuse it; `reported` when
    // only report mode lets it pass. Throws std::bad_alloc.
    bool budget_refuses(verdict& reported);
    bool new_host_refuses() const noexcept; // after that: nothing is left for a host that is new to the client, and that must refuse it
    std::size_t may_upload(std::size_t want) noexcept;               // how much may be written upstream now; then uploaded() must follow
    bool waits() const noexcept;                                     // when nothing may: it waits rather than ends ...
    bool waits_for_rate() const noexcept { return waits_for_rate_; } // ... and is woken by each sweep
    interruption spent() const noexcept;                             // ... or how it ends
    void uploaded(std::size_t bytes, std::size_t may_have) noexcept; // written upstream, of what might have been
    void downloaded(std::size_t bytes) noexcept;                     // read from the upstream
    void progress();                                                 // writes a progress line and sets the time of the next
    std::uint64_t bytes() const noexcept { return upload_ + download_; }
    void show_to(tunnel_list&) const; // of a tunnel that relays
    void ends(ending e) noexcept { ended_ = e; }

private:
    audit_record line(audit_action) const;
    void enter(const rule&) noexcept;
    void hold_to_budget();
    std::size_t on_budget() const noexcept;
    bool only_told() const noexcept;
    bool waits_for_budget() const noexcept;
    bool cut_at_new_host() const noexcept;
    void leave() noexcept;
    void close_book();

    tunnel& tunnel_;
    client_account& client_;
    const std::uint64_t id_;
    const request_mode mode_;
    bool denied_ = false, open_ = false, abandoned_ = false, named_itself_ = false;
    ending ended_ = ending::internal_error;
    purpose purpose_ = purpose::pull;
    verdict reported_ = verdict::allowed;
    std::uint32_t rule_slot_ = 0;
    std::uint64_t upload_ = 0, download_ = 0, reported_bytes_ = 0;
    std::chrono::steady_clock::time_point opened_at_{};
    endpoint peer_;
    upload_permit permit_;
    std::unique_ptr<held_back> held_back_; // nearly always none
    bool overdrawn_ = false, waits_for_rate_ = false, over_new_host_ = false;
};

} // namespace exeat::net
