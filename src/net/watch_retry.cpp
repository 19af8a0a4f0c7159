#include <net/watch_retry.hpp>

#include <exeat/hello_retry.hpp>
#include <net/read_target.hpp>
#include <net/send.hpp>
#include <net/socket.hpp>
#include <net/worker.hpp>

namespace exeat::net {

namespace {

std::span<const std::byte> as_bytes(const std::string& s) noexcept { return std::as_bytes(std::span{s}); }

// True when the server's first message is known; false when the relay shall see how the tunnel ends.
bool read_answer(tunnel& t, std::string& answer, first_answer& is)
{
    while (t.upstream.readable && is == first_answer::need_more) {
        const auto got = read_some(t.upstream, t.home.scratch());
        if (got.would_block()) return false;
        if (got.failed()) t.interrupt({ending::upstream_reset, verdict::connect_failure}); // the socket tells it only once
        if (got.ended() || got.failed()) {
            is = first_answer::other; // the relay ends it
            return true;
        }
        t.book->downloaded(got.bytes);
        answer.append(t.home.scratch().data(), got.bytes);
        is = scan_first_answer(as_bytes(answer));
    }
    return is != first_answer::need_more;
}

// The first hello on its way, as far as the upstream takes it.
bool send_held(tunnel& t)
{
    while (!t.held.empty() && t.upstream.writable) {
        const auto leave = t.book->may_upload(t.held.size());
        if (leave == 0 && t.book->waits_for_rate()) return true;
        if (leave == 0) {
            t.interrupt(t.book->spent()); // nobody waits for the rest of a hello
            return false;
        }
        const auto sent = write_some(t.upstream, std::string_view{t.held}.substr(0, leave));
        t.book->uploaded(sent.bytes, leave);
        if (sent.failed()) return false;
        t.held.erase(0, sent.bytes);
    }
    return true;
}

verdict compare(const second_hello_scan& scan, const tunnel& t)
{
    if (const auto* bad = std::get_if<malformed>(&scan)) return bad->why;
    const auto* again = std::get_if<client_hello>(&scan);
    if (!again) return verdict::allowed;
    if (again->encrypted && !t.said.by->ech) return verdict::ech;
    return again->server_name && *again->server_name == t.to->host ? verdict::allowed : verdict::sni_changed;
}

task<verdict> check_second_hello(tunnel& t)
{
    t.set_deadline(t.home.settings().hello_timeout);
    for (;;) {
        const auto scan = scan_second_hello(as_bytes(t.held));
        if (!std::holds_alternative<need_more>(scan)) co_return compare(scan, t);
        if (t.held.size() >= limits::retry_flight_bytes) co_return verdict::tls_malformed;
        const auto more = co_await read_behind(t, limits::retry_flight_bytes - t.held.size());
        if (more) continue;
        t.held.clear(); // what it began to say stays here
        co_return t.cut ? verdict::allowed : more.error().why.value_or(verdict::allowed);
    }
}

} // namespace

task<verdict> watch_retry(tunnel& t, std::string& answer)
{
    t.set_deadline(t.home.settings().idle_timeout);
    auto is = first_answer::need_more;
    for (;;) {
        if (t.cut || t.deadline_passed() || t.client_side.broken) co_return verdict::allowed; // the relay ends it
        if (!send_held(t) || read_answer(t, answer, is)) break;
        co_await t.event();
    }
    if (is == first_answer::malformed) co_return verdict::tls_malformed;
    if (is != first_answer::retry) co_return verdict::allowed;
    // The client must hear of the retry before it can say its second hello.
    const auto heard = co_await send_all(t, t.client_side, answer);
    answer.clear();
    if (!heard || !t.held.empty()) co_return verdict::tls_malformed; // a server that answers before it has the whole hello
    const auto said = co_await check_second_hello(t);
    co_return said;
}

} // namespace exeat::net
