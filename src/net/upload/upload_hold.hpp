// The limits that findings of detectors set for one tunnel: the throttles of its client, and of all pods of its
// client's service account, at its entry and at every entry, and the
// budget at a host that is new to the client. A tunnel that was granted less than it wanted waits in its worker's throttle_queue for the
// next sweep and gets nothing until then, so that each waiting tunnel has its turn and none is granted single bytes. One worker's thread;
// owned by the tunnel's upload_gate.
#pragma once

#include <exeat/budget/new_host_budgets.hpp>
#include <exeat/budget/throttle.hpp>
#include <net/loop/reactor.hpp>

#include <array>
#include <boost/intrusive/list.hpp>
#include <memory>

namespace exeat::net {

using queue_hook = boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>>;
using throttles_of_tunnel = std::array<std::shared_ptr<throttle>, 4>;

class throttle_queue;

class upload_hold : public queue_hook {
public:
    upload_hold(waiter& tunnel, throttle_queue& queue) noexcept : tunnel_{tunnel}, queue_{queue} {}
    upload_hold(const upload_hold&) = delete;
    ~upload_hold() { try_again(); }

    void hold_to(throttles_of_tunnel) noexcept;
    void hold_to(std::shared_ptr<new_host_budget>, std::uint64_t already) noexcept; // null, or the same: nothing changes
    std::uint64_t take(std::uint64_t want, budget_minutes) noexcept;                // returns how much may be sent, at most `want`
    void give_back(std::uint64_t unsent) noexcept;
    bool slowed() const noexcept;                                  // by a rate, or because that budget is spent
    bool over_new_host() const noexcept { return over_new_host_; } // the last take() reached the end of that budget
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
    void wake() noexcept; // wakes all of them; the first to be woken is the last next time

private:
    boost::intrusive::list<upload_hold, boost::intrusive::constant_time_size<false>> waiting_;
};

} // namespace exeat::net
