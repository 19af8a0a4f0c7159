#include <net/accept.hpp>

#include <net/refuse.hpp>
#include <net/sockets/socket.hpp>
#include <net/stage_context.hpp>

#include <cerrno>

namespace exeat::net {

namespace {

bool used_up(int error) noexcept { return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM; }

// A connection beyond the limits gets no tunnel: exeat tries once to send the reason, logs one line and closes it.
void turn_away(stage_context& home, unique_fd fd, client from, std::size_t listener, verdict why)
{
    if (auto p = home.pods.find(from.source)) from.belongs_to(std::move(p)); // for the log
    from.groups = home.policy_now().rules->groups_of(from.source, from.pod.get());
    const auto mode = home.settings().listeners[listener].mode;
    const auto group = home.policy_now().rules->group_slot(from.groups);
    home.count.connections[listener].add();
    home.count.requests[first_mode(mode)][0].add();
    home.count.denied[why][group].add();
    audit_record r;
    r.action = audit_action::deny;
    r.verdict = why;
    r.mode = first_mode(mode);
    r.id = home.audit.next_id();
    r.policy = home.policy_now().generation;
    r.at = std::chrono::system_clock::now();
    r.source = from.source;
    r.client = from.key;
    if (from.pod) r.identity = from.pod->identity;
    r.source_port = from.port;
    r.group_slot = group;
    home.audit.log_denial(r);
    if (mode != listen_mode::proxy) return;
    const auto& settings = home.policy_now().rules->settings();
    const auto reply = refusal_reply({why, {}}, r.id, settings.serial, settings.deny_help);
    watched_socket once;
    once.fd = std::move(fd);
    write_some(once, reply);
    finish_writing(once);
    read_some(once, home.scratch()); // bytes already received must not turn the close into a reset
}

// The result of accept4: accept again at once, wait for an edge, or pause.
enum class next : std::uint8_t { again, wait, pause };

next accept_one(stage_context& home, watched_socket& listening, std::size_t listener)
{
    sockaddr_storage peer{};
    socklen_t size = sizeof peer;
    unique_fd fd{::accept4(listening.fd.value(), reinterpret_cast<sockaddr*>(&peer), &size, SOCK_NONBLOCK | SOCK_CLOEXEC)};
    if (!fd) return used_up(errno) ? next::pause : errno == EAGAIN || errno == EWOULDBLOCK ? next::wait : next::again;
    const auto from = from_kernel(peer);
    auto who = known_as(from.address, from.port, home.settings().bits_of(from.address));
    const bool balanced = !home.settings().listeners[listener].senders.empty(); // the client is named by a header that is not read yet
    if (!balanced && !home.rates.take(client_rate::connections, who.key, std::chrono::steady_clock::now())) {
        home.count.over_rate[client_rate::connections].add();
        turn_away(home, std::move(fd), who, listener, verdict::rate);
        return next::again;
    }
    auto place = balanced ? home.admitted.enter_unnamed() : home.admitted.enter(who.key);
    if (place) run_connection(std::move(fd), who, std::move(*place), listener, home);
    else turn_away(home, std::move(fd), who, listener, verdict::overload);
    return next::again;
}

background accept_until_drained(stage_context& home, watched_socket& listening, std::size_t listener)
{
    waiter wake{home.events};
    const auto slot = home.due.add(wake);
    listening.owner = &wake;
    if (!home.events.watch(listening)) throw std::bad_alloc{}; // at start-up only; ends the process: a background coroutine may not throw
    // While draining, connections queued on a shared listener are left to the other processes. Once everything is cut, none is served.
    while (!home.cutting() && !(home.draining() && home.shares_listeners())) {
        auto said = next::again;
        for (std::size_t n = 0; n < limits::accepts_per_turn && said == next::again; ++n) {
            try {
                said = accept_one(home, listening, listener);
            } catch (const std::bad_alloc&) {
                home.count.out_of_memory.add();
                said = next::pause;
            }
        }
        if (said != next::again && home.draining()) break;
        if (said == next::again) wake.yield();
        if (said == next::pause) {
            home.count.accept_pauses.add();
            home.due.at(slot).due = home.due.now() + ticks(limits::accept_pause);
        }
        co_await wake.event();
    }
    home.due.remove(slot);
    listening.owner = nullptr;
    home.events.forget(listening);
    listening.close();
}

} // namespace

void accept_connections(stage_context& home, watched_socket& listening, std::size_t listener)
{
    accept_until_drained(home, listening, listener);
}

} // namespace exeat::net
