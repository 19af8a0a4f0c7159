// One thread of the proxy: an io_context, its listeners, and the stage_context of its tunnels, whose time, list and ends it moves on.
// Tunnels never leave their worker and take no lock. The functions marked "any thread" post to the worker; all else is its own thread's.
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

    void begin(); // before run(): listens; throws std::bad_alloc
    void run();   // this thread becomes the worker's, until cut_all() is done

    // ---- any thread. Those that throw std::bad_alloc have done nothing and are to be called again.
    void adopt(std::shared_ptr<const policy>, std::uint64_t generation); // takes effect for all tunnels, open ones too
    // Before the list under which these entries inherit.
    void pass_on(std::shared_ptr<const heirs_of<std::uint64_t>> entries);
    void adopt(own_endpoints);
    void ask_servers(std::vector<endpoint>);              // DNS
    void adopt(std::shared_ptr<const throttled_clients>); // open tunnels are held to them, too
    void adopt(std::shared_ptr<const quarantines>);       // what is open and quarantined ends
    // Ends what the client has open at the entry (any entry: 0) and refuses it there for limits::shut_out_time.
    void shut_out(const ip_address& client, std::uint64_t rule_id);
    void drain();                                                     // accept no more, let tunnels finish
    void cut_all(ending);                                             // end every tunnel now; run() returns when all have
    void post(auto what) { boost::asio::post(io_, std::move(what)); } // to be done on the worker's thread
    std::uint64_t rounds() const noexcept { return rounds_.load(std::memory_order_relaxed); } // rises while the thread goes round
    const deadlines& open_now() const noexcept { return at_.due; }                            // the worker's thread
    const counters& counts() const noexcept { return at_.count; }
    const client_table& clients() const noexcept { return at_.clients; }

private:
    void shut_out_now(const ip_address& client, std::uint64_t rule_id) noexcept;
    void hold_to_findings_now() noexcept;
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
    tick second_ = 0;
    tick give_up_log_ = no_deadline; // once all tunnels are cut: when a log that takes nothing is not waited for any more
    std::atomic<std::uint64_t> rounds_{0};
};

} // namespace exeat::net
