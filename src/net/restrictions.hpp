// The restrictions of one worker that do not come from the list: what an analyst has quarantined, clients that findings of detectors shut
// out of one entry or of all, and clients that findings throttle. Bounded and nearly always empty. One worker's thread.
#pragma once

#include <exeat/budget/throttle.hpp>
#include <exeat/client.hpp>
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

    // Rule id 0 means every entry. When limits::shut_outs are in use, the one that would end first is dropped.
    void shut_out(const ip_address& client, std::uint64_t rule_id, moment until) noexcept;
    bool shuts_out(const client&, std::uint64_t rule_id) const noexcept; // or all pods of its service account
    void pass_on(const heirs_of<std::uint64_t>& entries) noexcept;       // a client shut out of an entry is also shut out of its heirs
    void forget_before(moment now) noexcept;

    void quarantine(std::shared_ptr<const quarantines> all) noexcept { quarantined_ = std::move(all); }
    bool quarantined(const client&, std::string_view entry) const noexcept;

    void throttle(std::shared_ptr<const throttled_clients> all) noexcept { throttled_ = std::move(all); }
    // Those of the client at every entry and at this one, and of all pods of its service account the same.
    throttles_of_tunnel throttles_of(const client&, std::uint64_t rule_id) const noexcept;

private:
    struct shut {
        ip_address client;
        std::uint64_t rule_id;
        moment until;
    };
    std::vector<shut> shut_;
    std::shared_ptr<const quarantines> quarantined_;     // null: none
    std::shared_ptr<const throttled_clients> throttled_; // null: none
};

} // namespace exeat::net
