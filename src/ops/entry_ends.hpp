// Treats the end of an entry as a new list: whatever entry serves its hosts from then on inherits (accounts.hpp). This is prepared
// limits::entry_end_lead ahead, so that uploads until the end count for the heirs too. Lives on one io_context; looks once a second.
#pragma once

#include <net/loop/kept_memory.hpp>
#include <ops/policy/policy_status.hpp>
#include <ops/succession.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <functional>
#include <memory>
#include <optional>

namespace exeat::ops {

class entry_ends {
public:
    using taker = std::function<void(std::shared_ptr<const policy>, std::uint64_t generation)>; // hands the list to the workers
    // `busy`: whether a reload is being loaded, so that nothing may be adopted now.
    entry_ends(boost::asio::io_context&, policy_status&, succession&, std::function<bool()> busy, taker);

private:
    void look();
    void prepare(const policy&, wall_time now);

    boost::asio::steady_timer timer_;
    net::shared_kept_memory memory_;
    policy_status& status_;
    succession& accounts_;
    const std::function<bool()> busy_;
    const taker take_;
    std::uint64_t generation_ = 0; // that the workers get again at:
    std::optional<wall_time> due_;
};

} // namespace exeat::ops
