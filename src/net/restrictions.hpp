// What holds at one worker beside the list: what an analyst has quarantined, and what the findings of detectors mean: clients that are
// shut out of an entry or of all, and clients that are throttled. Bounded and nearly always empty. One worker's thread.
#pragma once

#include <exeat/budget/throttle.hpp>
#include <exeat/ip_address.hpp>
#include <exeat/limits.hpp>
#include <exeat/quarantine.hpp>
#include <net/upload/upload_hold.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <vector>

namespace exeat::net {

class restrictions {
public:
    using moment = std::chrono::steady_clock::time_point;

    restrictions() { shut_.reserve(limits::shut_outs); } // so that shut_out() cannot fail

    // Rule id 0 stands for every entry. Beyond limits::shut_outs the one is dropped that would have ended first.
    void shut_out(const ip_address& client, std::uint64_t rule_id, moment until) noexcept;
    bool shuts_out(const ip_address& client, std::uint64_t rule_id) const noexcept;
    void pass_on(const heirs_of<std::uint64_t>& entries) noexcept; // who is shut out of an entry is shut out of its heirs too
    void forget_before(moment now) noexcept;

    void quarantine(std::shared_ptr<const quarantines> all) noexcept { quarantined_ = std::move(all); }
    bool quarantined(const ip_address& source, std::string_view entry) const noexcept;

    void throttle(std::shared_ptr<const throttled_clients> all) noexcept { throttled_ = std::move(all); }
    throttles_of_tunnel throttles_of(const ip_address& client, std::uint64_t rule_id) const noexcept; // at every entry, and at this one

private:
    struct shut {
        ip_address client;
        std::uint64_t rule_id;
        moment until;
    };
    std::vector<shut> shut_;
    std::shared_ptr<const quarantines> quarantined_;     // null: nothing is
    std::shared_ptr<const throttled_clients> throttled_; // null: nobody is
};

} // namespace exeat::net
