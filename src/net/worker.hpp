// One thread of the proxy: an io_context, its listeners, and the stage_context of its tunnels, in which it updates the time, the list and
// the shutdown flags. Tunnels never leave their worker and take no lock. The functions marked "any thread" post to the worker; all others
// are for its own thread.
#pragma once

#include <exeat/check_address.hpp>
#include <net/stage_context.hpp>

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <vector>

namespace exeat::net {

class worker {
public:
    // `audit` outlives the worker, which is its only producer.
    worker(std::size_t index, const worker_shared&, std::vector<unique_fd> listeners, audit_ring& audit);
    ~worker();
    worker(const worker&) = delete;
    worker& operator=(const worker&) = delete;

    void begin(); // call before run(); starts listening; throws std::bad_alloc
    void run();   // the calling thread becomes the worker's, until cut_all() is done

    // ---- any thread. A function that throws std::bad_alloc has done nothing; call it again.
    void adopt(std::shared_ptr<const policy>, std::uint64_t generation); // takes effect for all tunnels, including open ones
    // Call before adopting the list under which these entries inherit.
    void pass_on(std::shared_ptr<const heirs_of<std::uint64_t>> entries);
    void adopt(own_endpoints);
    void ask_servers(std::vector<endpoint>);              // DNS servers
    void adopt(std::shared_ptr<const throttled_clients>); // also applies to open tunnels
    void adopt(std::shared_ptr<const quarantines>);       // ends open tunnels that are quarantined
    void adopt(std::shared_ptr<const pod_snapshot>);      // wakes tunnels that wait for their pod, ends those of pods that are gone
    // Ends the client's open tunnels at the entry (0: any entry) and refuses the client there for limits::shut_out_time.
    void shut_out(const ip_address& client, std::uint64_t rule_id);
    void drain();                                                     // accepts no more, lets tunnels finish
    void cut_all(ending);                                             // ends every tunnel now; run() returns when all have ended
    void post(auto what) { boost::asio::post(io_, std::move(what)); } // runs `what` on the worker's thread
    std::uint64_t rounds() const noexcept { return rounds_.load(std::memory_order_relaxed); } // rises while the thread runs its loop
    const deadlines& open_now() const noexcept { return at_.due; }                            // on the worker's thread
    const counters& counts() const noexcept { return at_.count; }
    const client_table& clients() const noexcept { return at_.clients; }

private:
    void shut_out_now(const ip_address& client, std::uint64_t rule_id) noexcept;
    void hold_to_findings_now() noexcept;
    void look_at_pods() noexcept;
    void stop_accepting() noexcept;
    void sweep_again();
    void sweep();
    void look_after_uploads() noexcept;
    void each_second();
    bool ended() const noexcept;

    boost::asio::io_context io_;
    stage_context at_;
    kept_memory sweep_memory_;
    boost::asio::steady_timer sweep_timer_;
    std::vector<watched_socket> listening_;
    const std::chrono::steady_clock::time_point began_;
    tick second_ = 0, next_look_at_pods_ = 0;
    tick give_up_log_ = no_deadline; // after cut_all(): when to stop waiting for a log that accepts nothing
    std::atomic<std::uint64_t> rounds_{0};
};

} // namespace exeat::net
