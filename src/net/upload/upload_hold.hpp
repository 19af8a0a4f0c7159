// What the findings of detectors hold one tunnel to: the throttle of its client at its entry, the throttle at every entry, and the budget
// at a host that is new to the client. A tunnel that got less than it wanted waits in its worker's throttle_queue for the next sweep and
// gets nothing until then, so that each waiting tunnel has its turn and none is given a byte at a time. One worker's thread; owned by the
// tunnel's upload_gate.
#pragma once

#include <exeat/budget/new_host_budgets.hpp>
#include <exeat/budget/throttle.hpp>
#include <net/loop/reactor.hpp>

#include <array>
#include <boost/intrusive/list.hpp>
#include <memory>

namespace exeat::net {

using queue_hook = boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>>;
using throttles_of_tunnel = std::array<std::shared_ptr<throttle>, 2>;

class throttle_queue;

class upload_hold : public queue_hook {
public:
    upload_hold(waiter& tunnel, throttle_queue& queue) noexcept : tunnel_{tunnel}, queue_{queue} {}
    upload_hold(const upload_hold&) = delete;
    ~upload_hold() { try_again(); }

    void hold_to(throttles_of_tunnel) noexcept;
    void hold_to(std::shared_ptr<new_host_budget>, std::uint64_t already) noexcept; // null, or the same: nothing changes
    std::uint64_t take(std::uint64_t want, budget_minutes) noexcept;                // how much may leave, at most `want`
    void give_back(std::uint64_t unsent) noexcept;
    bool slowed() const noexcept;                                  // by a rate, or by the end of that budget
    bool over_new_host() const noexcept { return over_new_host_; } // the last taking came to its end
    bool new_host_spent(budget_minutes) noexcept;

private:
    friend class throttle_queue;
    void wait() noexcept;
    void try_again() noexcept;

    waiter& tunnel_;
    throttle_queue& queue_;
    throttles_of_tunnel to_;
    std::shared_ptr<new_host_budget> new_host_;
    bool over_new_host_ = false;
};

// The tunnels of one worker that wait for their throttles.
class throttle_queue {
public:
    void join(upload_hold& h) noexcept { waiting_.push_back(h); }
    void wake() noexcept; // all of them: whoever was the first to be woken is the last next time

private:
    boost::intrusive::list<upload_hold, boost::intrusive::constant_time_size<false>> waiting_;
};

} // namespace exeat::net
