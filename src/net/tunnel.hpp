// One accepted connection and its resources. It lives in the coroutine frame that run_connection() starts, which is the only owner of its
// sockets, and never leaves its worker. tunnel.cpp is the flow: read it first.
#pragma once

#include <exeat/policy.hpp>
#include <net/account.hpp>
#include <net/clients/admission.hpp>
#include <net/loop/deadlines.hpp>
#include <net/loop/reactor.hpp>
#include <net/upload/upload_permit.hpp>

#include <boost/intrusive/list.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <string>

namespace exeat::net {

class stage_context;

// The list in force at some moment, with its number in the audit log.
struct policy_snapshot {
    std::shared_ptr<const policy> rules;
    std::uint64_t generation = 0;
};

// The target and rule that a kept upstream connection of a plain-HTTP client serves.
struct upstream_binding {
    target to;
    std::uint64_t rule_id;
};

using live_hook = boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>>;

struct tunnel : live_hook {
    tunnel(unique_fd fd, const client& from, admission::place, std::size_t listener, stage_context& home);
    tunnel(const tunnel&) = delete;
    tunnel& operator=(const tunnel&) = delete;
    ~tunnel();

    // Sleeps until something happens to a socket, the deadline, the policy or a look-up. Registers sockets on first use.
    auto event() { return watch(), wake.event(); }
    void watch();
    void set_deadline(std::chrono::milliseconds) noexcept;
    void set_due(tick) noexcept; // the same, as a point in time
    void clear_deadline() noexcept;
    bool deadline_passed() const noexcept;
    void interrupt(interruption) noexcept;
    // A kept connection whose client has had its answer. A connection that waits for its first request does not count: it was admitted
    // and will be served.
    bool between_requests() const noexcept { return bill == nullptr && requests > 1 && held.empty(); }

    // Finds the groups of the client under the list in force.
    void find_groups() noexcept;
    uploader uploads_as(const policy&) const noexcept; // whose budgets it uses
    // The list in force becomes the one that judges the current request. Before this, and after drop_decision(), the tunnel holds no list,
    // so that a waiting tunnel does not keep an old list alive.
    void take_policy() noexcept;
    void drop_decision() noexcept;

    stage_context& home;
    admission::place place;
    waiter wake;
    watched_socket client_side, upstream;
    const std::size_t listener; // index into config::listeners
    const std::chrono::steady_clock::time_point accepted;
    deadlines::slot slot;

    client who;
    // Small members side by side: every idle tunnel pays for padding.
    std::uint32_t group_slot = 0;      // of who.groups, for counters
    std::uint32_t hello_octets = 0;    // length of the first ClientHello, at the start of `held`
    std::uint16_t asked_port = 0;      // fixed by the listener or the original destination; 0: the request names it
    endpoint peer;                     // the upstream's address, once connected
    std::optional<ip_address> dialled; // on a redirected connection: the address that the client dialled
    std::optional<interruption> cut;
    bool answer_in_tls = false;                    // a refusal is an alert, not an HTTP reply
    bool accepts_json = false;                     // of the current request
    bool accounted = false;                        // it had an account, which reported how it ended
    bool early_data = false;                       // its ClientHello offers early data
    hidden_hello hidden = hidden_hello::none;      // the most that its ClientHellos hide
    std::optional<target> to;                      // of the current request
    exeat::decision decision;                      // about `to`; points into `to` and the list; a reload replaces the decision and the list
    policy_snapshot judged_by;                     // the list that made the decision; empty without one
    account* bill = nullptr;                       // of the current request
    std::unique_ptr<upstream_binding> upstream_of; // plain HTTP: the target that the upstream connection may serve again
    std::string held;                              // read from the client, not consumed yet
    std::uint64_t requests = 0;                    // heads awaited on this connection
};

// Serves one accepted connection until it ends. `home` outlives it.
void run_connection(unique_fd fd, client from, admission::place, std::size_t listener, stage_context& home);

} // namespace exeat::net
