// Decides before each write what one tunnel may send upstream: the budgets of its rule, the limits set by detectors, and the action when
// nothing is left. Values only: the time is a parameter, and nothing is counted or logged here; the account reads what is new
// (net/account). One worker's thread. Invariant: what was granted is used or given back before the next grant.
#pragma once

#include <exeat/rule.hpp>
#include <net/upload/upload_hold.hpp>
#include <net/upload/upload_permit.hpp>

#include <cstddef>
#include <memory>

namespace exeat::net {

class upload_gate {
public:
    // What happens when a budget is spent.
    enum class on_spent : std::uint8_t { cut, throttle, alert, report }; // as in budget_action, and report mode
    static_assert(static_cast<int>(budget_action::alert) == static_cast<int>(on_spent::alert));

    upload_gate() = default;
    upload_gate(const upload_gate&) = delete;
    upload_gate& operator=(const upload_gate&) = delete;

    // ---- called by each judgement, the first and every later one
    void hold_to_budgets(upload_permit, on_spent, bool cut_at_new_host) noexcept;
    // `sent`: by the tunnel so far; counts against a budget that is new to it. Throws std::bad_alloc.
    void hold_to_findings(throttles_of_tunnel, std::shared_ptr<new_host_budget>, std::uint64_t sent, waiter&, throttle_queue&);
    bool budget_spent(budget_minutes now) noexcept { return permit_.spent(now); }
    std::optional<upload_permit::lack> budget_lacks(budget_minutes now) { return permit_.lacks(now); }
    bool new_host_spent(budget_minutes now) noexcept { return hold_ && hold_->new_host_spent(now); }
    on_spent when_spent() const noexcept { return on_spent_; }
    bool refuses_at_new_host() const noexcept { return cut_at_new_host_; }

    // ---- called by send_upstream()
    std::size_t take(std::size_t want, budget_minutes now) noexcept; // returns how many bytes may be written now, at most `want`
    void give_back(std::size_t unsent) noexcept;                     // granted, but not written

    // ---- why take() granted nothing
    bool waits() const noexcept;                                     // the tunnel waits; otherwise its budget is spent
    bool waits_for_rate() const noexcept { return waits_for_rate_; } // and each sweep wakes the tunnel
    bool spent_at_new_host() const noexcept { return hold_ && hold_->over_new_host(); }

    // ---- what is new, reported once
    bool went_over_budget() noexcept { return std::exchange(tell_over_budget_, false); }
    bool spent_new_host() noexcept { return std::exchange(tell_new_host_, false); }
    bool over_new_host() const noexcept { return over_new_host_; } // stays true afterwards

    bool throttled() const noexcept { return hold_ && hold_->slowed(); } // by a detector
    void downloaded(std::size_t bytes) noexcept { permit_.downloaded(bytes); }
    void tunnel_opened() noexcept { permit_.tunnel_opened(); }

private:
    bool only_tells() const noexcept { return on_spent_ >= on_spent::alert; }
    std::size_t take_from_hold(std::size_t want, budget_minutes now) noexcept;

    upload_permit permit_;
    std::unique_ptr<upload_hold> hold_; // nearly always null
    on_spent on_spent_ = on_spent::cut;
    bool cut_at_new_host_ = false;
    bool over_budget_ = false, over_new_host_ = false;
    bool tell_over_budget_ = false, tell_new_host_ = false;
    bool waits_for_rate_ = false;
};

} // namespace exeat::net
