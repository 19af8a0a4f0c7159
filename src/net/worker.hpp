// One thread of the proxy with all that its tunnels need: io_context, reactor, listeners, policy snapshot, resolver, counters. Tunnels
// never leave their worker and take no lock. The public functions marked "any thread" post to the worker; all else is its own thread's.
#pragma once

#include <exeat/budget_book.hpp>
#include <exeat/config.hpp>
#include <exeat/name_budget.hpp>
#include <exeat/new_host_budgets.hpp>
#include <exeat/policy.hpp>
#include <exeat/throttle.hpp>
#include <net/admission.hpp>
#include <net/audit_ring.hpp>
#include <net/client_table.hpp>
#include <net/counters.hpp>
#include <net/deadlines.hpp>
#include <net/denial_sampler.hpp>
#include <net/held_back.hpp>
#include <net/late_records.hpp>
#include <net/reactor.hpp>
#include <net/resolver.hpp>
#include <net/splice_pipe.hpp>
#include <net/tunnel.hpp>
#include <net/upload_permit.hpp>

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/intrusive/list.hpp>
#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace exeat::net {

// What all workers of a process share, and what they begin with. The references outlive them.
struct common_ground {
    const config& settings;
    admission& doors;
    name_budget& wildcard_names;
    budget_book& uploads;
    new_host_budgets& new_hosts;
    const std::atomic<bool>& audit_healthy;
    std::shared_ptr<const policy> rules;
    std::uint64_t generation = 0;
    own_endpoints own;
    bool shares_listeners = false; // other processes listen on the same sockets, or will
};

class worker {
    // What the public members below are built on.
    const config& settings_;
    const std::atomic<bool>& audit_healthy_;
    boost::asio::io_context io_;
    std::unique_ptr<counters> counts_;
    client_table clients_;

public:
    // `audit` outlives the worker, which is its only producer.
    worker(std::size_t index, const common_ground&, std::vector<unique_fd> listeners, audit_ring& audit);
    ~worker();
    worker(const worker&) = delete;
    worker& operator=(const worker&) = delete;

    void begin();                                                        // before run(): listens; throws std::bad_alloc
    void run();                                                          // this thread becomes the worker's, until cut_all() is done
    void adopt(std::shared_ptr<const policy>, std::uint64_t generation); // any thread: takes effect for all tunnels, live ones too
    void adopt(own_endpoints);                                           // any thread
    void adopt(std::shared_ptr<const throttled_clients>);                // any thread: live tunnels are held to them, too
    void hold_back(const ip_address& client); // any thread: live tunnels of the client to what common_ground::new_hosts has of it now
    // any thread: ends what the client has open at the entry (any entry: 0) and refuses it there for limits::shut_out_time
    void shut_out(const ip_address& client, std::uint32_t rule_slot);
    void drain();                                                     // any thread: accept no more, let tunnels finish
    void cut_all(ending);                                             // any thread: end every tunnel now; run() returns when all have
    void post(auto what) { boost::asio::post(io_, std::move(what)); } // any thread: to be done on this one
    // Rises while the worker's thread goes round; any thread.
    std::uint64_t rounds() const noexcept { return rounds_.load(std::memory_order_relaxed); }
    const counters& counts() const noexcept { return *counts_; }
    const client_table& clients() const noexcept { return clients_; }

    // ---- for the stages; the worker's thread
    const config& settings() const noexcept { return settings_; }
    const own_endpoints& own() const noexcept { return own_; }
    wall_time wall() const noexcept { return wall_; }
    bool cutting() const noexcept { return ending_.has_value(); }
    bool has_shut_out(const ip_address& client, std::uint32_t rule_slot) const noexcept;
    throttles_of_tunnel throttles_of(const ip_address& client, std::uint32_t rule_slot) const noexcept; // everywhere, and there
    budget_minutes minute() const noexcept { return minute_; }
    std::span<char> scratch() noexcept { return scratch_; } // for one non-blocking call and what follows it without a wait
    bool draining() const noexcept { return draining_; }
    bool shares_listeners() const noexcept { return shares_listeners_; }
    bool may_log() const noexcept;                      // false: the audit log is out, and that denies
    bool log(const audit_record&, std::size_t reserve); // false: it found no room, and that denies
    void log_denial(const audit_record&);
    std::uint64_t next_id() noexcept { return id_base_ + ++ids_; }

    reactor events;
    deadlines due;
    counters& count;
    resolver names;
    pipe_pool pipes;
    client_table& client_accounts;
    std::shared_ptr<const policy> rules;
    std::uint64_t generation = 0;
    boost::intrusive::list<tunnel, boost::intrusive::constant_time_size<false>> live;
    admission& doors;
    name_budget& wildcard_names;
    budget_book& uploads;
    new_host_budgets& new_hosts;
    rate_line rates;

private:
    void take(std::shared_ptr<const policy>, std::uint64_t generation);
    void sweep_again();
    void sweep();
    void each_second();
    bool ended() const noexcept;
    void judge_all_again();
    void judge_again(tunnel&);
    void take_shut_out(const ip_address& client, std::uint32_t rule_slot);
    void hold_back_now(const ip_address* client); // null: everybody

    audit_ring& audit_;
    late_records late_;
    denial_sampler denials_;
    kept_memory sweep_memory_;
    boost::asio::steady_timer sweep_timer_;
    std::vector<watched_socket> listening_;
    std::vector<char> scratch_;
    own_endpoints own_;
    const std::chrono::steady_clock::time_point began_;
    wall_time wall_{};
    budget_minutes minute_ = budget_now();
    wall_time next_change_ = never;
    std::uint64_t id_base_ = 0, ids_ = 0;
    tick second_ = 0;
    bool draining_ = false;
    const bool shares_listeners_;
    std::atomic<std::uint64_t> rounds_{0};
    std::optional<ending> ending_;
    struct shut {
        ip_address client;
        std::uint32_t rule_slot;
        std::chrono::steady_clock::time_point until;
    };
    std::vector<shut> shut_;                             // nearly always empty
    std::shared_ptr<const throttled_clients> throttled_; // nearly always null
};

} // namespace exeat::net
