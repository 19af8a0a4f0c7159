// What the stages of a tunnel work with: settings, the list in force, clocks, counters, and the resources of its worker. Each worker owns
// one, and it outlives the worker's tunnels; all of it belongs to the worker's thread. Only the worker changes the time, the list and the
// shutdown flags (worker.cpp); stages read them.
#pragma once

#include <exeat/budget/budget_book.hpp>
#include <exeat/budget/name_budget.hpp>
#include <exeat/budget/new_host_budgets.hpp>
#include <exeat/check_address.hpp>
#include <exeat/config.hpp>
#include <exeat/detect/host_history.hpp>
#include <exeat/policy.hpp>
#include <net/audit/audit_writer.hpp>
#include <net/clients/admission.hpp>
#include <net/clients/client_rates.hpp>
#include <net/clients/client_table.hpp>
#include <net/clients/pod_view.hpp>
#include <net/counters.hpp>
#include <net/dns/resolver.hpp>
#include <net/loop/deadlines.hpp>
#include <net/loop/reactor.hpp>
#include <net/restrictions.hpp>
#include <net/sockets/splice_pipe.hpp>
#include <net/tunnel.hpp>
#include <net/upload/upload_permit.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/intrusive/list.hpp>
#include <functional>
#include <memory>
#include <span>
#include <vector>

namespace exeat::net {

// How long a host would be new to the client (flow_event::acquainted()) if a tunnel opened now (`until`, from now), and what the client has
// sent there within the hour; nullopt for a host that is not new. Any thread.
using first_contact = std::function<std::optional<detect::host_history::meeting>(const ip_address& acquainted, std::string_view host)>;

// What all workers of a process share, and their initial state. The references outlive the workers.
struct worker_shared {
    const config& settings;
    admission& admitted;
    client_rates& rates;
    name_budget& wildcard_names;
    budget_book& uploads;
    new_host_budgets& new_hosts;
    first_contact first_contact_of; // empty when the detector first_seen only observes
    const std::atomic<bool>& audit_healthy;
    std::shared_ptr<const policy> rules;
    std::uint64_t generation = 0;
    own_endpoints own;
    std::size_t spare_descriptors = limits::spare_descriptors; // per worker, for pipes and further attempts to connect
    bool shares_listeners = false;                             // other processes listen on the same sockets, now or later
    std::vector<endpoint> dns_servers;                         // at the start; at least one
    std::shared_ptr<const quarantines> quarantined{};          // at the start; null: none
    std::shared_ptr<const pod_snapshot> pods{};                // at the start; null: none is known
};

class stage_context {
    // The public members below depend on these.
    const config& settings_;
    new_host_budgets& new_hosts_;
    const first_contact first_contact_;
    const bool shares_listeners_;
    sparse_counters counters_;
    client_table client_table_;

public:
    stage_context(std::size_t worker, const worker_shared&, boost::asio::io_context&, audit_ring&);
    stage_context(const stage_context&) = delete;
    stage_context& operator=(const stage_context&) = delete;

    const config& settings() const noexcept { return settings_; }
    const policy_snapshot& policy_now() const noexcept { return policy_; }
    const own_endpoints& own() const noexcept { return own_; }
    wall_time wall() const noexcept { return wall_; }
    budget_minutes minute() const noexcept { return minute_; }
    bool draining() const noexcept { return draining_; } // no new connections; open tunnels may finish
    bool cutting() const noexcept { return cutting_; }   // no connection is served any more
    bool shares_listeners() const noexcept { return shares_listeners_; }
    std::span<char> scratch() noexcept
    {
        return {scratch_.get(), limits::scratch_bytes};
    } // valid for one non-blocking call and the code after it, until the next wait
    // ---- called by the worker, or by a test in its place
    // Puts a list in force. Every tunnel whose request was allowed is judged again by it, and cut if that fails.
    void adopt(policy_snapshot) noexcept;
    // Advances the wall clock. When something has expired, or the clock was set back, tunnels are judged again likewise.
    void advance(wall_time now) noexcept;

    // The budget of the client at the host, if the detectors limit it; null: none. Throws std::bad_alloc.
    std::shared_ptr<new_host_budget> new_host_budget_of(const client& who, std::string_view host);

    reactor events;
    deadlines due;
    counters& count;
    resolver names;
    descriptor_share spare;
    pipe_pool pipes;
    client_table& clients;
    audit_writer audit;
    restrictions restricted;
    pod_view pods;
    throttle_queue throttled;
    bool any_waits_for_log = false; // an upload of a tunnel waits for the log, or has since the last sweep
    boost::intrusive::list<tunnel, boost::intrusive::constant_time_size<false>> live;
    admission& admitted;
    client_rates& rates;
    name_budget& wildcard_names;
    budget_book& uploads;

private:
    friend class worker;
    void judge_all_again() noexcept;

    std::unique_ptr<char[]> scratch_ = std::make_unique_for_overwrite<char[]>(limits::scratch_bytes);
    policy_snapshot policy_;
    own_endpoints own_;
    wall_time wall_;
    wall_time next_change_ = never; // next time at which a decision of the list in force can change by itself
    budget_minutes minute_ = budget_now();
    bool draining_ = false, cutting_ = false;
};

} // namespace exeat::net
