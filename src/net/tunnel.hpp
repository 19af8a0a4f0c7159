// One accepted connection and what it may use. It lives in the frame of run_connection(), which is the only owner of its sockets, and
// never leaves its worker. tunnel.cpp is the flow: read it first.
#pragma once

#include <exeat/policy.hpp>
#include <net/account.hpp>
#include <net/admission.hpp>
#include <net/deadlines.hpp>
#include <net/reactor.hpp>

#include <boost/intrusive/list.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <string>

namespace exeat::net {

class worker;

// What a kept upstream connection of a plain-HTTP client is for.
struct upstream_binding {
    target to;
    std::uint32_t rule_slot;
};

using live_hook = boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>>;

struct tunnel : live_hook {
    tunnel(unique_fd fd, const client& from, admission::place, std::size_t listener, worker& home);
    tunnel(const tunnel&) = delete;
    tunnel& operator=(const tunnel&) = delete;
    ~tunnel();

    // Sleeps until something happened to a socket, the deadline, the policy or a look-up. Registers sockets on first use.
    auto event() { return watch(), wake.event(); }
    void watch();
    void set_deadline(std::chrono::milliseconds) noexcept;
    void set_due(tick) noexcept; // the same, as a moment
    void clear_deadline() noexcept;
    bool deadline_passed() const noexcept;
    void interrupt(interruption) noexcept;
    // A kept connection whose client has had its answer. One that has yet to say what it wants is not: it was accepted to be served.
    bool between_requests() const noexcept { return book == nullptr && requests > 1 && held.empty(); }
    // The policy of this moment for the next request of this connection.
    void take_snapshot();

    worker& home;
    admission::place place;
    waiter wake;
    watched_socket client_side, upstream;
    const std::size_t listener; // index into config::listeners
    const std::chrono::steady_clock::time_point accepted;
    deadlines::slot slot;

    client who;
    std::shared_ptr<const policy> rules; // the snapshot that judged the request in hand
    std::uint64_t generation = 0;
    std::optional<target> to;                      // of the request in hand
    decision said;                                 // and its judgement; points into `to` and `rules`; a reload renews all three
    account* book = nullptr;                       // of the request in hand
    bool accounted = false;                        // it had an account, which told how it went
    endpoint peer;                                 // the upstream's address, once connected
    std::unique_ptr<upstream_binding> upstream_of; // plain HTTP: whom the upstream connection may serve again
    bool ech = false;                              // an encrypted ClientHello was let through
    std::optional<interruption> cut;
    std::string held;           // read from the client, not consumed yet
    std::uint64_t requests = 0; // heads asked for on this connection
};

// Serves one accepted connection to its end, whatever that is. `home` outlives it.
void run_connection(unique_fd fd, client from, admission::place, std::size_t listener, worker& home);

} // namespace exeat::net
