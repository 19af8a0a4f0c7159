#include <net/watch_retry.hpp>

#include <exeat/tls/hello_retry.hpp>
#include <net/send.hpp>
#include <net/sockets/socket.hpp>
#include <net/stage_context.hpp>

#include <cassert>

namespace exeat::net {

namespace {

using phase = hello_watch::phase;

constexpr interruption client_lost{ending::client_reset, verdict::connect_failure};
constexpr interruption upstream_lost{ending::upstream_reset, verdict::connect_failure};
constexpr interruption silent{ending::idle_timeout, verdict::connect_timeout};

// The most that may wait here to be completed: a record of early data, or a second hello with the headers of some 100 records.
constexpr std::size_t held_record_bytes = limits::record_bytes + 256 + 5; // RFC 8446 section 5.2
constexpr std::size_t held_second_hello_bytes = limits::client_hello_bytes + 512;
constexpr std::size_t growth_bytes = 512;
static_assert(held_second_hello_bytes <= limits::held_hello_bytes && held_record_bytes <= held_second_hello_bytes);

struct watch_state {
    hello_watch watch;
    std::size_t passed = 0;    // octets at the start of tunnel::held that may be sent upstream
    bool client_ended = false; // the client sends no more bytes
    bool no_upload = false;    // the sending side of the upstream is shut down
};

// Sends the octets that may be sent, as far as the upstream and the account accept them.
void send_held(tunnel& t, std::size_t& passed)
{
    assert(passed <= t.held.size());
    while (passed > 0 && t.upstream.writable) {
        const auto s = send_upstream(*t.bill, t.upstream, std::string_view{t.held}.substr(0, passed));
        t.held.erase(0, s.bytes);
        passed -= s.bytes;
        if (s.what == sent::how::waits) return t.set_deadline(t.home.settings().idle_timeout); // waiting is not idle
        if (s.what == sent::how::spent) return t.interrupt(t.bill->spent());
        if (s.what == sent::how::failed) return t.interrupt(upstream_lost);
    }
}

std::size_t most_held(const watch_state& w) noexcept
{
    return w.watch.at() == phase::second_hello ? held_second_hello_bytes : held_record_bytes;
}

bool takes_more(const tunnel& t, const watch_state& w) noexcept
{
    return t.client_side.readable && !w.client_ended && t.held.size() < most_held(w);
}

// A string doubles its capacity when it grows, and a stalled tunnel would keep that; so it grows in small steps here.
void hold(std::string& held, std::string_view more)
{
    const auto size = held.size() + more.size();
    if (size > held.capacity()) {
        std::string grown;
        grown.reserve((size + growth_bytes - 1) / growth_bytes * growth_bytes);
        grown.append(held);
        held.swap(grown);
    }
    held.append(more);
}

void read_client(tunnel& t, watch_state& w)
{
    if (!takes_more(t, w)) return;
    const auto room = std::min(most_held(w) - t.held.size(), t.home.scratch().size());
    const auto got = read_some(t.client_side, t.home.scratch().first(room));
    if (got.failed()) t.interrupt(client_lost);
    w.client_ended = got.ended();
    hold(t.held, {t.home.scratch().data(), got.bytes});
}

verdict check_client(tunnel& t, watch_state& w)
{
    const auto held = std::as_bytes(std::span{t.held}).subspan(w.passed);
    const auto step = w.watch.from_client(held, {t.to->host, t.decision.rule->ech});
    w.passed += step.pass;
    t.hidden = std::max(t.hidden, w.watch.seen());
    const bool cut_short = w.client_ended && w.passed < t.held.size();
    const bool too_long = w.passed == 0 && t.held.size() >= held_second_hello_bytes && w.watch.at() == phase::second_hello;
    return step.why == verdict::allowed && (cut_short || too_long) ? verdict::tls_malformed : step.why;
}

// After this the kernel accepts no byte for the upstream, from any caller.
void end_upload(tunnel& t, watch_state& w)
{
    finish_writing(t.upstream);
    w.passed = 0;
    w.no_upload = true;
}

verdict read_server(tunnel& t, watch_state& w, std::string& answer)
{
    if (!t.upstream.readable || !answer.empty()) return verdict::allowed;
    const auto got = read_some(t.upstream, t.home.scratch());
    if (got.failed()) t.interrupt(upstream_lost); // the socket reports it only once
    t.bill->downloaded(got.bytes);
    answer.append(t.home.scratch().data(), got.bytes);
    const auto said = w.watch.from_server(std::as_bytes(std::span{answer}));
    if (got.ended() || w.watch.at() == phase::ended) end_upload(t, w);
    return said;
}

void tell_client(tunnel& t, std::string& answer)
{
    if (answer.empty() || !t.client_side.writable) return;
    const auto sent = write_some(t.client_side, answer);
    if (sent.failed()) t.interrupt(client_lost);
    answer.erase(0, sent.bytes);
}

// The relay takes over, or ends at once when the tunnel was interrupted.
bool relays(const tunnel& t, const watch_state& w) noexcept
{
    return t.cut || w.no_upload || w.client_ended || w.watch.at() == phase::over;
}

// One turn of both directions. The client is read first: what it sends ahead of an answer is checked as such.
verdict take_turn(tunnel& t, watch_state& w, std::string& answer)
{
    const auto before = w.watch.at();
    read_client(t, w);
    if (const auto why = check_client(t, w); why != verdict::allowed) return why;
    send_held(t, w.passed);
    if (t.held.capacity() > t.held.size() + 8 * growth_bytes) t.held.shrink_to_fit(); // frees the memory of a long hello
    if (const auto why = read_server(t, w, answer); why != verdict::allowed) return why;
    const auto after = w.watch.at();
    if (after != phase::over) tell_client(t, answer);
    if (after == before) return verdict::allowed;
    const auto& settings = t.home.settings();
    t.set_deadline(after == phase::second_hello ? settings.hello_timeout : settings.idle_timeout);
    return verdict::allowed;
}

// The deadline has passed, or the client is gone.
verdict give_up(tunnel& t, const watch_state& w)
{
    if (t.client_side.broken) t.interrupt(client_lost);
    else if (w.watch.at() == phase::second_hello) return verdict::hello_timeout;
    else t.interrupt(silent);
    return verdict::allowed;
}

} // namespace

task<checked> watch_retry(tunnel& t, std::string& answer)
{
    watch_state w;
    w.watch.first_hello_passed(t.hidden, t.early_data);
    w.passed = t.hello_octets;
    t.set_deadline(t.home.settings().idle_timeout);
    while (!t.cut) {
        auto why = take_turn(t, w, answer);
        if (why == verdict::allowed && !t.cut && (t.client_side.broken || t.deadline_passed())) why = give_up(t, w);
        if (why != verdict::allowed) co_return refused(why);
        if (relays(t, w)) break;
        if (t.home.due.at(t.slot).report) t.bill->progress();
        if (takes_more(t, w) || (t.upstream.readable && answer.empty())) t.wake.yield();
        co_await t.event();
    }
    if (w.watch.at() != phase::over) t.held.resize(w.passed); // what may not be sent is dropped
    co_return checked{};
}

} // namespace exeat::net
