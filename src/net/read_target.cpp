#include <net/read_target.hpp>

#include <exeat/proxy_header.hpp>
#include <net/sockets/socket.hpp>
#include <net/stage_context.hpp>

#include <algorithm>

namespace exeat::net {

namespace {

enum class arrival : std::uint8_t { bytes, closed, broken, late, interrupted };

// One read of at most `most` bytes, appended to tunnel::held.
task<arrival> read_more(tunnel& t, std::size_t most)
{
    for (;;) {
        if (t.cut) co_return arrival::interrupted;
        if (t.deadline_passed()) co_return arrival::late;
        if (t.client_side.readable) {
            const auto room = t.home.scratch().first(std::min(most, t.home.scratch().size()));
            const auto got = read_some(t.client_side, room);
            if (got.moved()) {
                t.held.append(room.data(), got.bytes);
                co_return arrival::bytes;
            }
            if (got.ended()) co_return arrival::closed;
            if (got.failed()) co_return arrival::broken;
        }
        co_await t.event();
    }
}

// A client that has sent nothing gets no answer: browsers open connections before they need them, and load balancers probe the port. A
// client with an account has sent something.
bool is_silent(const tunnel& t) noexcept { return t.bill == nullptr && t.held.empty(); }

refusal no_request(tunnel& t, arrival how, verdict late, verdict partial)
{
    if (is_silent(t)) {
        t.home.count.silent.add();
        return client_gone();
    }
    if (how == arrival::interrupted) return refused(t.cut->before);
    if (how == arrival::late) return refused(late);
    const bool ended = how == arrival::closed || how == arrival::broken;
    if (ended && !t.held.empty()) return refused(partial);
    return client_gone();
}

// A kept connection may wait for the first byte of its next request as long as a tunnel may be idle.
task<bool> await_request(tunnel& t, bool first)
{
    if (first || !t.held.empty()) co_return true;
    std::string{}.swap(t.held); // an idle connection holds no buffer
    t.set_deadline(t.home.settings().idle_timeout);
    const auto how = co_await read_more(t, limits::request_head_bytes);
    co_return how == arrival::bytes;
}

request_scan scan(const tunnel& t, http_way way, std::size_t known)
{
    if (way.inside != nullptr) return scan_inside_request(t.held, *way.inside, known);
    return way.port ? scan_origin_request(t.held, *way.port, known) : scan_proxy_request(t.held, known);
}

// When the head names a place other than the expected one, the refusal names both.
refusal refused_for(const refused_head& bad, http_way way)
{
    if (!bad.named || !bad.to) return refused(bad.why);
    return refused(bad.why, {.details = "it names " + place_text(bad.named->host.str(), bad.named->port) + ", and the " +
                                        (way.inside ? "tunnel" : "request") + " is for " + place_text(bad.to->host.str(), bad.to->port)});
}

// Only for a client that its balancer has named; the acceptor checks all others.
bool may_connect(tunnel& t) noexcept
{
    if (t.home.rates.take(client_rate::connections, t.who.key, std::chrono::steady_clock::now())) return true;
    t.home.count.over_rate[client_rate::connections].add();
    return false;
}

bool comes_from(const std::vector<ip_prefix>& senders, const ip_address& peer) noexcept
{
    return std::any_of(senders.begin(), senders.end(), [&](const ip_prefix& p) { return p.contains(peer); });
}

} // namespace

task<or_refusal<client>> read_client(tunnel& t, const listener& l)
{
    if (!comes_from(l.senders, t.who.source)) co_return refused(verdict::proxy_sender);
    t.set_deadline(l.mode == listen_mode::proxy ? t.home.settings().head_timeout : t.home.settings().hello_timeout);
    for (;;) {
        const auto scan = scan_proxy_header(t.held);
        if (const auto* bad = std::get_if<malformed>(&scan)) co_return refused(bad->why);
        if (const auto* header = std::get_if<proxy_header>(&scan)) {
            t.clear_deadline();
            t.held.erase(0, header->bytes);
            if (const auto& c = header->client) t.who = known_as(c->source, c->port, t.home.settings().bits_of(c->source));
            if (!may_connect(t)) co_return refused(verdict::rate);
            if (!t.place.name(t.who.key)) co_return refused(verdict::overload);
            co_return t.who;
        }
        const auto how = co_await read_more(t, limits::proxy_header_bytes - t.held.size());
        if (how != arrival::bytes) co_return no_request(t, how, verdict::proxy_header, verdict::proxy_header);
    }
}

task<or_refusal<request_head>> read_request(tunnel& t, http_way way)
{
    const bool began = co_await await_request(t, t.requests++ == 0);
    if (!began) co_return client_gone();
    t.accounted = false;
    t.set_deadline(t.home.settings().head_timeout);
    for (std::size_t known = 0;;) {
        auto seen = scan(t, way, known);
        if (auto* head = std::get_if<request_head>(&seen)) {
            t.clear_deadline();
            co_return std::move(*head);
        }
        if (auto* bad = std::get_if<refused_head>(&seen)) {
            auto no = refused_for(*bad, way);
            t.to = std::move(bad->to);
            co_return no;
        }
        known = t.held.size();
        // One byte more than a head may have, so that the scanner sees that it is too large.
        const auto how = co_await read_more(t, limits::request_head_bytes + 1 - t.held.size());
        if (how != arrival::bytes) co_return no_request(t, how, verdict::head_timeout, verdict::request_line);
    }
}

task<or_refusal<client_hello>> read_hello(tunnel& t)
{
    t.set_deadline(t.home.settings().hello_timeout);
    for (;;) {
        auto scan = scan_client_hello(std::as_bytes(std::span{t.held}));
        if (auto* hello = std::get_if<client_hello>(&scan)) {
            t.clear_deadline();
            t.hello_octets = static_cast<std::uint32_t>(hello->bytes);
            t.early_data = hello->early_data;
            co_return std::move(*hello);
        }
        if (const auto* bad = std::get_if<malformed>(&scan)) co_return refused(bad->why);
        const auto how = co_await read_more(t, limits::held_hello_bytes + 1 - t.held.size());
        if (how != arrival::bytes) co_return no_request(t, how, verdict::hello_timeout, verdict::tls_malformed);
    }
}

task<checked> read_behind(tunnel& t, std::size_t most)
{
    const auto how = co_await read_more(t, most);
    if (how != arrival::bytes) co_return no_request(t, how, verdict::hello_timeout, verdict::tls_malformed);
    co_return checked{};
}

task<checked> read_first_byte(tunnel& t)
{
    t.set_deadline(t.home.settings().hello_timeout);
    while (t.held.empty()) {
        const auto how = co_await read_more(t, limits::request_head_bytes);
        if (how != arrival::bytes) co_return no_request(t, how, verdict::hello_timeout, verdict::tls_malformed);
    }
    co_return checked{};
}

} // namespace exeat::net
