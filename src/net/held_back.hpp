// What detectors hold one tunnel to: the throttle of its client at its entry, the one at every entry, and the budget at a host that is new
// to the client. A tunnel that got less than it wanted waits in its worker's line (rate_line) for the next sweep and gets nothing until
// then, so that all who wait have their turn and none is given a byte at a time. One worker's thread; the tunnel's account owns it.
#pragma once

#include <exeat/new_host_budgets.hpp>
#include <exeat/throttle.hpp>
#include <net/reactor.hpp>

#include <array>
#include <boost/intrusive/list.hpp>
#include <memory>

namespace exeat::net {

using in_line = boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>>;
using throttles_of_tunnel = std::array<std::shared_ptr<throttle>, 2>;

class rate_line;

class held_back : public in_line {
public:
    held_back(waiter& tunnel, rate_line& line) noexcept : tunnel_{tunnel}, line_{line} {}
    held_back(const held_back&) = delete;
    ~held_back() { try_again(); }

    void hold_to(throttles_of_tunnel) noexcept;
    void hold_to(std::shared_ptr<new_host_budget>, std::uint64_t already) noexcept; // null, or the same: nothing changes
    std::uint64_t take(std::uint64_t want, budget_minutes) noexcept;                // how much may leave, at most `want`
    void give_back(std::uint64_t unsent) noexcept;
    bool slowed() const noexcept;                                  // by a rate, or by the end of that budget
    bool over_new_host() const noexcept { return over_new_host_; } // the last taking came to its end
    bool new_host_spent(budget_minutes) noexcept;

private:
    friend class rate_line;
    void wait() noexcept;
    void try_again() noexcept;

    waiter& tunnel_;
    rate_line& line_;
    throttles_of_tunnel to_;
    std::shared_ptr<new_host_budget> new_host_;
    bool over_new_host_ = false;
};

// The tunnels of one worker that wait for their rates.
class rate_line {
public:
    void join(held_back& h) noexcept { waiting_.push_back(h); }
    void wake() noexcept; // all of them: whoever was the first to be woken is the last next time

private:
    boost::intrusive::list<held_back, boost::intrusive::constant_time_size<false>> waiting_;
};

} // namespace exeat::net
