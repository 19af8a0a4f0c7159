#include <net/tunnel.hpp>

#include <net/judge.hpp>
#include <net/reach.hpp>
#include <net/read_target.hpp>
#include <net/refuse.hpp>
#include <net/relay.hpp>
#include <net/send.hpp>
#include <net/sockets/socket.hpp>
#include <net/stage_context.hpp>
#include <net/watch_retry.hpp>
#include <net/ways_in.hpp>

#include <cassert>

namespace exeat::net {

namespace {

// ---- after the decision

// Checks that the hello inside a CONNECT tunnel names the requested host in the clear.
verdict check_inside(const client_hello& hello, const tunnel& t)
{
    if (!permits(t.decision.rule->ech, hello.hidden)) return verdict::ech;
    if (!hello.server_name) return verdict::sni_missing;
    return *hello.server_name == t.to->host ? verdict::allowed : verdict::sni_mismatch;
}

refusal refused_hello(verdict why, const client_hello& hello)
{
    refusal_facts known;
    if (hello.server_name) known.server_name = hello.server_name->str();
    return refused(why, std::move(known));
}

// False when the client is gone.
task<bool> answer_connect(tunnel& t)
{
    t.set_deadline(t.home.settings().hello_timeout);
    constexpr std::string_view established = "HTTP/1.1 200 Connection established\r\n\r\n";
    co_return co_await send_all(t, t.client_side, established);
}

// A CONNECT that an entry for plain HTTP allows: no upstream is dialled before a request inside has been judged.
task<or_refusal<asked>> enter_http(tunnel& t, std::optional<account>& bill)
{
    const target place{t.to->host, t.to->port, approach::http};
    bill->hand_over();
    bill.reset();
    const bool heard = co_await answer_connect(t);
    if (!heard) co_return asked::nothing_more;
    t.requests = 0; // the first request inside is awaited like the first on a connection
    co_return co_await serve_inside(t, bill, place);
}

// Answers a CONNECT, if it is not answered yet, and checks the name inside.
task<checked> enter(tunnel& t)
{
    const bool heard = t.answer_in_tls || co_await answer_connect(t);
    if (!heard) co_return client_gone();
    t.answer_in_tls = true;
    if (t.decision.rule->protocol != protocol::tls) co_return checked{};
    const auto hello = co_await read_hello(t);
    if (!hello) co_return hello.error();
    t.hidden = hello->hidden;
    const auto inside = check_inside(*hello, t);
    if (inside == verdict::allowed) co_return checked{};
    co_return refused_hello(inside, *hello);
}

// The last check before the first byte: the tunnel may have been cut while it waited, and nothing may happen that cannot be logged.
checked begin(tunnel& t)
{
    if (t.cut) return refused(t.cut->before);
    if (const auto may = t.bill->opened(); may != verdict::allowed) return refused(may);
    if (t.dialled && *t.dialled != t.peer.address) t.home.count.orig_dst_mismatch.add();
    return checked{};
}

// The flow, up to the relay. The frames of the stages are freed when it returns, so an idle tunnel keeps only what it needs.
task<or_refusal<asked>> open(tunnel& t, std::optional<account>& bill)
{
    const auto& l = t.home.settings().listeners[t.listener];
    auto stage = co_await find_client(t, l);
    if (!stage) co_return stage.error();
    const auto what = co_await read_target(t, bill, l);
    if (!what) co_return what.error();
    if (*what == asked::nothing_more) co_return *what;
    stage = judge(t);
    if (stage && t.decision.rule->protocol == protocol::http) {
        const auto inside = co_await enter_http(t, bill);
        if (!inside || *inside == asked::nothing_more) co_return inside;
        stage = judge(t);
    }
    if (stage) stage = co_await reach(t);
    if (stage && bill->mode() == request_mode::connect) stage = co_await enter(t);
    if (stage) stage = begin(t);
    if (!stage) co_return stage.error();
    co_return asked::tunnel;
}

// ---- the end

void end(tunnel& t, ending how)
{
    t.bill->ends(how);
    if (how == ending::finished) return;
    if (t.upstream.fd) reset_on_close(t.upstream);
    reset_on_close(t.client_side);
}

// Out of memory, or a bug in exeat: an undecided request is denied, and no stream may end as if it were complete.
void give_up(tunnel& t) noexcept
{
    t.home.count.out_of_memory.add();
    if (!t.accounted) account{t, first_mode(t.home.settings().listeners[t.listener].mode)}; // its destructor reports the denial
    if (t.upstream.fd) reset_on_close(t.upstream);
    if (t.client_side.fd) reset_on_close(t.client_side);
}

task<> refuse_once(tunnel& t, std::optional<account>& bill, refusal no)
{
    if (!bill && !no.why) co_return; // gone before it sent anything
    if (!bill) bill.emplace(t, first_mode(t.home.settings().listeners[t.listener].mode));
    co_await refuse(t, std::move(no));
}

// Everything before the relay. False: there is nothing to relay, and any refusal has been sent.
task<bool> establish(tunnel& t, std::optional<account>& bill, std::unique_ptr<std::string>& early)
{
    std::string answer;
    auto opened = co_await open(t, bill);
    if (opened && *opened == asked::nothing_more) co_return false;
    if (opened && t.decision.rule->protocol == protocol::tls) {
        const auto watched = co_await watch_retry(t, answer);
        if (!watched) {
            bill->ends(ending::refused_inside);
            reset_on_close(t.upstream);
            opened = watched.error();
        }
    }
    if (!answer.empty()) early = std::make_unique<std::string>(std::move(answer));
    if (opened) co_return true;
    auto no = opened.error();
    co_await refuse_once(t, bill, std::move(no));
    co_return false;
}

// All parameters are references: the tunnel takes them over before its first wait, and the frame would otherwise contain them twice. An
// idle tunnel keeps this frame and the relay's.
background run_to_the_end(unique_fd& fd, const client& from, admission::place& place, std::size_t listener, stage_context& home)
{
    try {
        tunnel t{std::move(fd), from, std::move(place), listener, home};
        try {
            std::optional<account> bill;
            std::unique_ptr<std::string> early; // from the server, not sent on yet; nearly always null
            const bool relays = co_await establish(t, bill, early);
            if (!relays) co_return;
            const auto how = co_await relay(t, early);
            end(t, how);
            bill.reset(); // its log line and findings must not wait
            if (how == ending::finished || how == ending::upstream_reset) co_return;
            t.client_side.close();
            co_await send_out(t);
        } catch (...) {
            give_up(t);
        }
    } catch (...) { // the tunnel could not be created
        home.count.out_of_memory.add();
    }
}

} // namespace

tunnel::tunnel(unique_fd fd, const exeat::client& from, admission::place p, std::size_t l, stage_context& h)
    : home{h}, place{std::move(p)}, wake{h.events}, listener{l}, accepted{std::chrono::steady_clock::now()}, slot{h.due.add(wake)},
      who{from}
{
    client_side.fd = std::move(fd);
    client_side.owner = upstream.owner = &wake;
    answer_in_tls = home.settings().listeners[listener].mode != listen_mode::proxy;
    find_groups();
    home.live.push_back(*this);
    home.count.connections[listener].add();
    home.count.connections_active[listener].add();
}

tunnel::~tunnel()
{
    assert(bill == nullptr);
    home.due.remove(slot);
    home.count.connections_active[listener].take();
}

void tunnel::find_groups() noexcept
{
    const auto& rules = *home.policy_now().rules;
    who.groups = rules.groups_of(who.source, who.pod.get());
    group_slot = rules.group_slot(who.groups);
}

uploader tunnel::uploads_as(const policy& by) const noexcept
{
    if (!who.pod) return {who.key, std::nullopt, 1};
    return {who.key, who.pod->identity, by.instances_of(*who.pod)};
}

void tunnel::take_policy() noexcept
{
    judged_by = home.policy_now();
    find_groups();
}

void tunnel::drop_decision() noexcept
{
    decision = {};
    judged_by = {};
}

void tunnel::watch()
{
    if (client_side.fd && !client_side.watched && !home.events.watch(client_side)) throw std::bad_alloc{};
    if (upstream.fd && !upstream.watched && !home.events.watch(upstream)) throw std::bad_alloc{};
}

void tunnel::set_due(tick when) noexcept
{
    auto& e = home.due.at(slot);
    e.due = when;
    e.passed = false;
}

void tunnel::set_deadline(std::chrono::milliseconds d) noexcept { set_due(home.due.now() + ticks(d)); }
void tunnel::clear_deadline() noexcept { set_due(no_deadline); }
bool tunnel::deadline_passed() const noexcept { return home.due.at(slot).passed; }

void tunnel::interrupt(interruption why) noexcept
{
    if (!cut) cut = why;
    wake.wake();
}

void run_connection(unique_fd fd, client from, admission::place place, std::size_t listener, stage_context& home)
{
    run_to_the_end(fd, from, place, listener, home);
}

} // namespace exeat::net
