// What comes of what the detectors find, at the workers: a client is shut out or throttled, or has a budget at a host that is new to it.
// Hears of it on the journal's thread, which must not meet workers that are made or gone, and acts on the service's.
#pragma once

#include <exeat/budget/new_host_budgets.hpp>
#include <exeat/budget/throttle.hpp>
#include <net/worker.hpp>
#include <ops/detection/detection.hpp>

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <memory>
#include <vector>

namespace exeat::ops {

class detector_actions {
public:
    using workers = std::vector<std::unique_ptr<net::worker>>;

    // All outlive it, but the workers, which hold new_hosts().
    detector_actions(boost::asio::io_context&, const detector_settings&, const workers&);

    void listen_to(detection&);
    new_host_budgets& new_hosts() noexcept { return new_hosts_; }
    // On the service's thread, before the workers get the list under which these entries inherit. What is found within
    // limits::shut_out_time may be of traffic under the list before it, and counts for the heirs too.
    void pass_on(const heirs_of<std::uint64_t>& entries, std::uint64_t generation);
    // For the workers: empty where first_seen only observes.
    net::first_contact first_contact_by(const detection&) const;

private:
    void act_on(const detect::finding&, detector_action);

    boost::asio::io_context& io_;
    const detector_settings& settings_;
    const workers& workers_;
    new_host_budgets new_hosts_;
    std::vector<std::uint64_t> entries_of(const detect::finding&);
    void hold_at(std::uint64_t entry, const detect::finding&);

    recent_heirs<std::uint64_t> heirs_;
    std::chrono::steady_clock::time_point passed_on_{}; // the last time
    std::uint64_t heirs_since_ = 0;                     // the generation before those that are recent
    std::shared_ptr<const throttled_clients> throttled_ = std::make_shared<throttled_clients>();
};

} // namespace exeat::ops
