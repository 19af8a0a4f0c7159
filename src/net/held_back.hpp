// What the findings of detectors hold one tunnel to: the throttle of its client at its entry, and the one at every entry. A tunnel that got
// less than it wanted waits in its worker's line (rate_line) for the next sweep and gets nothing until then, so that all who wait have
// their turn and none is given a byte at a time. One worker's thread; the tunnel's account owns it.
#pragma once

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
    std::uint64_t take(std::uint64_t want) noexcept; // how much may leave, at most `want`
    void give_back(std::uint64_t unsent) noexcept;
    bool ended() const noexcept; // nothing holds it any longer

private:
    friend class rate_line;
    void wait() noexcept;
    void try_again() noexcept;

    waiter& tunnel_;
    rate_line& line_;
    throttles_of_tunnel to_;
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
