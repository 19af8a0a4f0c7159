// Applies the detectors' findings at the workers: a client is shut out or throttled, or has a budget for a host that is new to it. Findings
// arrive on the journal's thread, which must not access workers during their construction or destruction, so the actions run on the
// service's thread.
#pragma once

#include <exeat/budget/new_host_budgets.hpp>
#include <exeat/budget/throttle.hpp>
#include <net/worker.hpp>
#include <ops/detection/detection.hpp>

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <map>
#include <memory>
#include <vector>

namespace exeat::ops {

class detector_actions {
public:
    using workers = std::vector<std::unique_ptr<net::worker>>;

    // All arguments outlive this object, except the workers, which use new_hosts().
    detector_actions(boost::asio::io_context&, const detector_settings&, const workers&);

    void listen_to(detection&);
    new_host_budgets& new_hosts() noexcept { return new_hosts_; }
    // On the service's thread, before the workers get the list under which these entries inherit. A finding within limits::shut_out_time
    // may be about traffic under the former list, so it also applies to the heirs.
    void pass_on(const heirs_of<std::uint64_t>& entries, std::uint64_t generation);
    // For the workers; empty when first_seen only observes.
    net::first_contact first_contact_by(const detection&) const;

private:
    void act_on(const detect::finding&, detector_action);

    boost::asio::io_context& io_;
    const detector_settings& settings_;
    const workers& workers_;
    new_host_budgets new_hosts_;
    std::vector<std::uint64_t> entries_of(const detect::finding&);
    std::vector<ip_address> clients_of(const detect::finding&);
    void hold_at(std::uint64_t entry, const ip_address& client, const detect::finding&);

    // The pods of a service account with findings. From the third one on all pods of the account are acted on: new ones come as they like.
    struct suspects {
        std::vector<ip_address> pods; // at most limits::suspect_pods
        std::chrono::steady_clock::time_point last{};
    };
    std::map<ip_address, suspects> suspects_; // by pod::identity; at most limits::shut_outs

    recent_heirs<std::uint64_t> heirs_;
    std::chrono::steady_clock::time_point passed_on_{}; // when pass_on() was last called
    std::uint64_t heirs_since_ = 0;                     // the generation before the recent ones
    std::shared_ptr<const throttled_clients> throttled_ = std::make_shared<throttled_clients>();
};

} // namespace exeat::ops
