// What comes of what the detectors find, at the workers: a client is shut out or throttled, or has a budget at a host that is new to it.
// Hears of it on the journal's thread, which must not meet workers that are made or gone, and acts on the service's.
#pragma once

#include <exeat/new_host_budgets.hpp>
#include <exeat/throttle.hpp>
#include <net/worker.hpp>
#include <ops/detection/lookout.hpp>

#include <boost/asio/io_context.hpp>
#include <memory>
#include <vector>

namespace exeat::ops {

class detector_actions {
public:
    using workers = std::vector<std::unique_ptr<net::worker>>;

    // All outlive it, but the workers, which hold new_hosts().
    detector_actions(boost::asio::io_context&, const detector_settings&, const workers&);

    void listen_to(lookout&);
    new_host_budgets& new_hosts() noexcept { return new_hosts_; }
    // For the workers: empty where first_seen only observes.
    net::first_contact first_contact_by(const lookout&) const;

private:
    void act_on(const detect::finding&, detector_action);

    boost::asio::io_context& io_;
    const detector_settings& settings_;
    const workers& workers_;
    new_host_budgets new_hosts_;
    std::shared_ptr<const throttled_clients> throttled_ = std::make_shared<throttled_clients>();
};

} // namespace exeat::ops
