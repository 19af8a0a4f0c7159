#include <net/tunnel.hpp>

#include <net/http_forward.hpp>
#include <net/original_destination.hpp>
#include <net/reach.hpp>
#include <net/read_target.hpp>
#include <net/refuse.hpp>
#include <net/relay.hpp>
#include <net/send.hpp>
#include <net/socket.hpp>
#include <net/watch_retry.hpp>
#include <net/worker.hpp>

namespace exeat::net {

namespace {

// What the hello inside a CONNECT tunnel must say: the name that was asked for, in the open.
verdict check_inside(const client_hello& hello, const tunnel& t)
{
    if (hello.encrypted && !t.said.by->ech) return verdict::ech;
    if (!hello.server_name) return verdict::sni_missing;
    return *hello.server_name == t.to->host ? verdict::allowed : verdict::sni_mismatch;
}

// The server's first words, which are the client's to read if nothing is wrong: a HelloRetryRequest asks for a second hello.
task<bool> pass_first_answer(tunnel& t, std::string& answer)
{
    const auto again = co_await watch_retry(t, answer);
    if (again == verdict::allowed) co_return true;
    t.book->ends(ending::refused_inside);
    reset_on_close(t.upstream);
    auto no = refusal_of(t, again);
    co_await refuse_tls(t, std::move(no));
    co_return false;
}

void end(tunnel& t, ending how)
{
    t.book->ends(how);
    if (how == ending::finished) return;
    if (t.upstream.fd) reset_on_close(t.upstream);
    reset_on_close(t.client_side);
}

// What the kernel took is counted, and a reset throws away what it has not sent yet: so that the books say what left, it may send that
// first. The client is gone meanwhile, and so is an upstream that takes nothing for a second.
task<> send_out(tunnel& t)
{
    t.client_side.close();
    const auto end = t.home.due.now() + ticks(limits::linger_time);
    while (unsent(t.upstream) > 0 && t.home.due.now() < end && !t.cut) {
        t.set_due(t.home.due.now() + 1);
        co_await t.event();
    }
}

bool abandon(account& bill) noexcept
{
    bill.abandoned();
    return false;
}

// The stages before the relay say whether there is a tunnel to relay; whatever else there was to do, they have done. Their frames are gone
// by then: an idle tunnel keeps but what it needs. `bill` is the tunnel's account; plain HTTP has one for each exchange.

task<bool> open_connect(tunnel& t, std::optional<account>& bill, bool json)
{
    bill.emplace(t, request_mode::connect);
    auto said = judge(t);
    if (said == verdict::allowed) said = co_await reach(t);
    if (said != verdict::allowed) {
        auto no = refusal_of(t, said);
        no.json = json;
        co_await refuse_http(t, std::move(no));
        co_return false;
    }
    t.set_deadline(t.home.settings().hello_timeout);
    constexpr std::string_view established = "HTTP/1.1 200 Connection established\r\n\r\n";
    if (!co_await send_all(t, t.client_side, established)) co_return abandon(*bill);
    if (t.said.by->protocol == protocol::tls) {
        const auto hello = co_await read_hello(t);
        if (!hello && !hello.error().why) co_return abandon(*bill);
        said = hello ? check_inside(*hello, t) : *hello.error().why;
        if (hello) t.ech = hello->encrypted;
        if (said != verdict::allowed) {
            auto no = refusal_of(t, said);
            if (hello && hello->server_name) no.server_name = hello->server_name->str();
            co_await refuse_tls(t, std::move(no));
            co_return false;
        }
    }
    if (!t.cut && bill->opened()) co_return true;
    auto no = refusal_of(t, t.cut ? t.cut->before : verdict::audit_unavailable);
    co_await refuse_tls(t, std::move(no));
    co_return false;
}

// A client that was redirected or dials us as if we were the server: its hello names the target.
task<bool> open_tls(tunnel& t, std::optional<account>& bill, request_mode mode, std::uint16_t port, std::optional<ip_address> dialled)
{
    bill.emplace(t, mode);
    const auto hello = co_await read_hello(t);
    if (!hello && !hello.error().why) co_return abandon(*bill);
    auto said = hello ? verdict::sni_missing : *hello.error().why;
    if (hello && hello->server_name) {
        t.to = target{*hello->server_name, port, approach::tls};
        t.ech = hello->encrypted;
        said = judge(t);
        if (said == verdict::allowed && t.ech && !t.said.by->ech) said = verdict::ech;
        if (said == verdict::allowed) said = co_await reach(t);
    }
    if (said == verdict::allowed && t.cut) said = t.cut->before;
    if (said == verdict::allowed && !bill->opened()) said = verdict::audit_unavailable;
    if (said != verdict::allowed) {
        auto no = refusal_of(t, said);
        no.port = port;
        if (hello && hello->server_name) no.server_name = hello->server_name->str();
        co_await refuse_tls(t, std::move(no));
        co_return false;
    }
    if (dialled && *dialled != t.peer.address) t.home.count.orig_dst_mismatch.add();
    co_return true;
}

// One request after the other, up to a CONNECT: then whether its refusals are wanted as JSON. `port` is set on a redirected connection.
task<std::optional<bool>> serve_http(tunnel& t, std::optional<std::uint16_t> port)
{
    const auto plain = port ? request_mode::transparent_http : request_mode::http;
    for (bool again = true; again;) {
        t.said = {};
        t.to.reset();
        const auto head = co_await read_request(t, port);
        if (!t.cut) t.take_snapshot();
        if (!head) {
            if (!head.error().why) co_return std::nullopt;
            account bill{t, plain};
            auto no = refusal_of(t, *head.error().why);
            co_await refuse_http(t, std::move(no));
            co_return std::nullopt;
        }
        t.to = head->to;
        if (head->to.via == approach::tunnel) {
            t.upstream.close();
            t.held.erase(0, head->bytes);
            co_return head->accepts_json;
        }
        account bill{t, plain};
        again = co_await forward(t, *head);
    }
    co_return std::nullopt;
}

task<bool> open_http(tunnel& t, std::optional<account>& bill, std::optional<std::uint16_t> port)
{
    const auto json = co_await serve_http(t, port);
    if (!json) co_return false;
    co_return co_await open_connect(t, bill, *json);
}

task<bool> refuse_source(tunnel& t, listen_mode mode, verdict why)
{
    const bool http = mode == listen_mode::proxy;
    account bill{t, first_mode(mode)};
    auto no = refusal_of(t, why);
    if (http) co_await refuse_http(t, std::move(no));
    else co_await refuse_tls(t, std::move(no));
    co_return false;
}

task<bool> open_transparent(tunnel& t, std::optional<account>& bill, const listener& l)
{
    const auto dialled = original_destination(t.client_side.fd.value(), l, t.home.own());
    if (!dialled) co_return co_await refuse_source(t, l.mode, dialled.error());
    const auto first = co_await read_first_byte(t);
    if (!first) {
        if (!first.error().why) co_return false;
        co_return co_await refuse_source(t, l.mode, *first.error().why);
    }
    const bool upper_case = *first >= 'A' && *first <= 'Z'; // no TLS record begins so, every HTTP method does
    if (upper_case) co_return co_await open_http(t, bill, dialled->port);
    co_return co_await open_tls(t, bill, request_mode::transparent_tls, dialled->port, dialled->address);
}

task<bool> open(tunnel& t, std::optional<account>& bill)
{
    const auto& l = t.home.settings().listeners[t.listener];
    if (!l.senders.empty()) {
        const auto named = co_await read_client(t, l);
        if (!named && !named.error().why) co_return false;
        if (!named) co_return co_await refuse_source(t, l.mode, *named.error().why);
    }
    t.who.groups = t.rules->groups_of(t.who.source);
    if (t.who.groups.none()) co_return co_await refuse_source(t, l.mode, verdict::source_not_allowed);
    switch (l.mode) {
    case listen_mode::proxy: co_return co_await open_http(t, bill, std::nullopt);
    case listen_mode::transparent: co_return co_await open_transparent(t, bill, l);
    case listen_mode::sni: co_return co_await open_tls(t, bill, request_mode::sni, l.port, std::nullopt);
    }
    co_return false;
}

// Out of memory, or a bug of ours: what was not decided is denied, and no end of a stream looks like a whole one.
void give_up(tunnel& t) noexcept
{
    t.home.count.out_of_memory.add();
    if (!t.accounted) account{t, first_mode(t.home.settings().listeners[t.listener].mode)}; // its destructor says so
    if (t.upstream.fd) reset_on_close(t.upstream);
    if (t.client_side.fd) reset_on_close(t.client_side);
}

// By reference, all of them: they are taken into the tunnel before its first wait, and a frame would hold them twice.
background run_to_the_end(unique_fd& fd, const client& from, admission::place& place, std::size_t listener, worker& home)
{
    try {
        tunnel t{std::move(fd), from, std::move(place), listener, home};
        try {
            std::optional<account> bill;
            std::string answer;
            if (!co_await open(t, bill)) co_return;
            if (t.said.by->protocol == protocol::tls && !co_await pass_first_answer(t, answer)) co_return;
            const auto how = co_await relay(t, answer);
            end(t, how);
            bill.reset(); // its line and what is found in it do not wait
            if (how == ending::budget || how == ending::anomaly) co_await send_out(t);
        } catch (...) {
            give_up(t);
        }
    } catch (...) { // no tunnel could be made
        home.count.out_of_memory.add();
    }
}

} // namespace

tunnel::tunnel(unique_fd fd, const exeat::client& from, admission::place p, std::size_t l, worker& h)
    : home{h}, place{std::move(p)}, wake{h.events}, listener{l}, accepted{std::chrono::steady_clock::now()}, slot{h.due.add(wake)},
      who{from}
{
    client_side.fd = std::move(fd);
    client_side.owner = upstream.owner = &wake;
    take_snapshot();
    home.live.push_back(*this);
    home.count.connections[listener].add();
    home.count.connections_active[listener].add();
}

tunnel::~tunnel()
{
    home.due.remove(slot);
    home.count.connections_active[listener].take();
}

void tunnel::take_snapshot()
{
    rules = home.rules;
    generation = home.generation;
    who.groups = rules->groups_of(who.source);
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

void run_connection(unique_fd fd, client from, admission::place place, std::size_t listener, worker& home)
{
    run_to_the_end(fd, from, place, listener, home);
}

} // namespace exeat::net
