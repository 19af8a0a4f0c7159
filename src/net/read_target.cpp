#include <net/read_target.hpp>

#include <exeat/proxy_header.hpp>
#include <net/socket.hpp>
#include <net/worker.hpp>

#include <algorithm>

namespace exeat::net {

namespace {

enum class arrival : std::uint8_t { bytes, closed, broken, late, interrupted };

// One read of at most `most` bytes behind what is held.
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

no_request none(const tunnel& t, arrival how, verdict late, verdict partial)
{
    if (how == arrival::interrupted) return {t.cut->before};
    if (how == arrival::late) return {late};
    if (how == arrival::closed && !t.held.empty()) return {partial};
    return {};
}

// A kept connection waits for the first byte of its next request as long as an idle tunnel may.
task<std::optional<no_request>> await_request(tunnel& t, bool first)
{
    if (first || !t.held.empty()) co_return std::nullopt;
    std::string{}.swap(t.held); // an idle connection holds no buffer
    t.set_deadline(t.home.settings().idle_timeout);
    const auto how = co_await read_more(t, limits::request_head_bytes);
    if (how == arrival::bytes) co_return std::nullopt;
    co_return no_request{};
}

bool comes_from(const std::vector<ip_prefix>& senders, const ip_address& peer) noexcept
{
    return std::any_of(senders.begin(), senders.end(), [&](const ip_prefix& p) { return p.contains(peer); });
}

} // namespace

task<request_or<client>> read_client(tunnel& t, const listener& l)
{
    if (!comes_from(l.senders, t.who.source)) co_return no_request{verdict::proxy_sender};
    t.set_deadline(l.mode == listen_mode::proxy ? t.home.settings().head_timeout : t.home.settings().hello_timeout);
    for (;;) {
        const auto scan = scan_proxy_header(t.held);
        if (const auto* bad = std::get_if<malformed>(&scan)) co_return no_request{bad->why};
        if (const auto* header = std::get_if<proxy_header>(&scan)) {
            t.clear_deadline();
            t.held.erase(0, header->bytes);
            if (header->client) t.who = {header->client->source, header->client->port, t.rules->groups_of(header->client->source)};
            if (!t.place.name(t.who.source)) co_return no_request{verdict::overload};
            co_return t.who;
        }
        const auto how = co_await read_more(t, limits::proxy_header_bytes - t.held.size());
        if (how != arrival::bytes) co_return none(t, how, verdict::proxy_header, verdict::proxy_header);
    }
}

task<request_or<request_head>> read_request(tunnel& t, std::optional<std::uint16_t> port)
{
    const auto gone = co_await await_request(t, t.requests++ == 0);
    if (gone) co_return *gone;
    t.accounted = false;
    t.set_deadline(t.home.settings().head_timeout);
    for (;;) {
        auto scan = port ? scan_origin_request(t.held, *port) : scan_proxy_request(t.held);
        if (auto* head = std::get_if<request_head>(&scan)) {
            t.clear_deadline();
            co_return std::move(*head);
        }
        if (const auto* bad = std::get_if<malformed>(&scan)) co_return no_request{bad->why};
        // One byte more than a head may have, so that the scanner sees that it is too large.
        const auto how = co_await read_more(t, limits::request_head_bytes + 1 - t.held.size());
        if (how != arrival::bytes) co_return none(t, how, verdict::head_timeout, verdict::request_line);
    }
}

task<request_or<client_hello>> read_hello(tunnel& t)
{
    t.set_deadline(t.home.settings().hello_timeout);
    for (;;) {
        auto scan = scan_client_hello(std::as_bytes(std::span{t.held}));
        if (auto* hello = std::get_if<client_hello>(&scan)) {
            t.clear_deadline();
            co_return std::move(*hello);
        }
        if (const auto* bad = std::get_if<malformed>(&scan)) co_return no_request{bad->why};
        const auto how = co_await read_more(t, limits::held_hello_bytes + 1 - t.held.size());
        if (how != arrival::bytes) co_return none(t, how, verdict::hello_timeout, verdict::tls_malformed);
    }
}

task<request_or<std::size_t>> read_behind(tunnel& t, std::size_t most)
{
    const auto before = t.held.size();
    const auto how = co_await read_more(t, most);
    if (how != arrival::bytes) co_return none(t, how, verdict::hello_timeout, verdict::tls_malformed);
    co_return t.held.size() - before;
}

task<request_or<char>> read_first_byte(tunnel& t)
{
    t.set_deadline(t.home.settings().hello_timeout);
    while (t.held.empty()) {
        const auto how = co_await read_more(t, limits::request_head_bytes);
        if (how != arrival::bytes) co_return none(t, how, verdict::hello_timeout, verdict::tls_malformed);
    }
    co_return t.held.front();
}

} // namespace exeat::net
