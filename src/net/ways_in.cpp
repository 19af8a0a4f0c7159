#include <net/ways_in.hpp>

#include <net/clients/find_pod.hpp>
#include <net/http/http_forward.hpp>
#include <net/read_target.hpp>
#include <net/sockets/original_destination.hpp>
#include <net/stage_context.hpp>

namespace exeat::net {

task<checked> find_client(tunnel& t, const listener& l)
{
    if (!l.senders.empty()) {
        const auto named = co_await read_client(t, l);
        if (!named) co_return named.error();
        t.find_groups();
    }
    if (t.home.pods.covers(t.who.source)) {
        const auto known = co_await find_pod(t);
        if (!known) co_return known.error();
        t.find_groups();
    }
    if (t.who.groups.none()) co_return refused(verdict::source_not_allowed);
    co_return checked{};
}

namespace {

// The first octet of a TLS record with a ClientHello; no HTTP request begins with it.
bool tls_inside(const tunnel& t, http_way way) noexcept { return way.inside != nullptr && t.held.starts_with('\x16'); }

// Also for a refused head.
request_mode mode_of(const tunnel& t, http_way way) noexcept
{
    if (way.port) return request_mode::transparent_http;
    return t.held.starts_with("CONNECT ") || tls_inside(t, way) ? request_mode::connect : request_mode::http;
}

// For a head that was refused inside a tunnel: the log names the entry for the tunnel.
refusal refused_inside(tunnel& t, refusal no, const target& place)
{
    t.take_policy();
    auto known = no.facts();
    known.by = decide(t.who, place, *t.judged_by.rules, t.home.wall()).rule;
    no.know(std::move(known));
    return no;
}

// Opens a new account for the same request: it is counted, judged and looked up again like a second request.
void open_again(tunnel& t, std::optional<account>& bill)
{
    const auto mode = bill->mode();
    bill.reset();
    t.home.count.sent_again.add();
    t.find_groups();
    bill.emplace(t, mode);
}

// A tunnel begins after requests on the same connection: it does not use their upstream connection.
void end_requests(tunnel& t) noexcept
{
    t.upstream_of.reset();
    t.upstream.close();
}

// Serves plain-HTTP requests one after the other, until a CONNECT.
task<or_refusal<asked>> read_http(tunnel& t, std::optional<account>& bill, http_way way)
{
    for (;;) {
        t.to.reset();
        t.accepts_json = false;
        const auto head = co_await read_request(t, way);
        if (!head && !head.error().why) co_return asked::nothing_more; // the client may leave between two requests
        t.find_groups();
        if (!head && way.inside != nullptr) t.to = *way.inside; // even if the head could not be read
        bill.emplace(t, mode_of(t, way));
        if (tls_inside(t, way)) {
            t.answer_in_tls = true;
            t.to->via = approach::tls; // the list decides: an entry for plain HTTP does not allow it, report mode may
            end_requests(t);
            co_return asked::tunnel;
        }
        if (!head && way.inside != nullptr) co_return refused_inside(t, head.error(), *way.inside);
        if (!head) co_return head.error();
        t.to = head->to;
        t.accepts_json = head->accepts_json;
        if (head->to.via == approach::tunnel) {
            if (head->other_host) t.home.count.other_host.add();
            end_requests(t);
            t.held.erase(0, head->bytes);
            co_return asked::tunnel;
        }
        auto after = co_await forward(t, *head);
        if (after && *after == after_exchange::send_again) {
            open_again(t, bill);
            after = co_await forward(t, *head);
        }
        if (!after) co_return after.error();
        bill.reset();
        if (*after == after_exchange::over) co_return asked::nothing_more;
    }
}

// A client that was redirected, or that connects to exeat as if it were the server: its hello names the target.
task<or_refusal<asked>> read_tls(tunnel& t, std::optional<account>& bill, request_mode mode)
{
    t.answer_in_tls = true;
    const auto hello = co_await read_hello(t);
    if (!hello && t.held.empty()) co_return hello.error(); // it sent nothing
    bill.emplace(t, mode);
    if (!hello) co_return hello.error();
    if (!hello->server_name) co_return refused(verdict::sni_missing);
    t.to = target{*hello->server_name, t.asked_port, approach::tls};
    t.hidden = hello->hidden;
    co_return asked::tunnel;
}

task<or_refusal<asked>> read_redirected(tunnel& t, std::optional<account>& bill)
{
    const auto first = co_await read_first_byte(t);
    if (!first) co_return first.error();
    const bool upper_case = t.held.front() >= 'A' && t.held.front() <= 'Z'; // as in every HTTP method; no TLS record begins so
    if (!upper_case) co_return co_await read_tls(t, bill, request_mode::transparent_tls);
    t.answer_in_tls = false;
    http_way way;
    way.port = t.asked_port;
    co_return co_await read_http(t, bill, way);
}

} // namespace

task<or_refusal<asked>> serve_inside(tunnel& t, std::optional<account>& bill, const target& place)
{
    http_way way;
    way.inside = &place;
    co_return co_await read_http(t, bill, way);
}

task<or_refusal<asked>> read_target(tunnel& t, std::optional<account>& bill, const listener& l)
{
    switch (l.mode) {
    case listen_mode::proxy: break;
    case listen_mode::sni: t.asked_port = l.port; co_return co_await read_tls(t, bill, request_mode::sni);
    case listen_mode::transparent:
        const auto dialled = original_destination(t.client_side.fd.value(), l, t.home.own());
        if (!dialled) co_return refused(dialled.error());
        t.asked_port = dialled->port;
        t.dialled = dialled->address;
        co_return co_await read_redirected(t, bill);
    }
    const http_way as_proxy;
    co_return co_await read_http(t, bill, as_proxy);
}

} // namespace exeat::net
