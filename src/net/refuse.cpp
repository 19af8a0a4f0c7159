#include <net/refuse.hpp>

#include <net/send.hpp>
#include <net/sockets/socket.hpp>
#include <net/stage_context.hpp>

#include <array>
#include <boost/beast/http/status.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <cstdio>

namespace exeat::net {

namespace {

std::string hex(std::uint64_t n)
{
    std::array<char, 17> text{};
    std::snprintf(text.data(), text.size(), "%016llx", static_cast<unsigned long long>(n));
    return {text.data(), 16};
}

std::string explained(const refused_request& r)
{
    std::string out{explanation(r.why)};
    if (!r.details.empty()) (out += "; ") += r.details;
    return out;
}

std::string text_body(const refused_request& r, std::uint64_t id, std::uint64_t serial, std::string_view help)
{
    std::string out = "exeat refused this request";
    if (!r.host.empty()) out += " to " + place_text(r.host, r.port);
    out += ".\n  reason:  " + std::string{to_string(r.why)} + " (" + explained(r) + ")";
    out += "\n  policy:  serial " + std::to_string(serial) + "\n  request: " + hex(id) + "\n";
    if (!help.empty()) (out += "\n") += std::string{help} + "\n";
    return out;
}

std::string json_body(const refused_request& r, std::uint64_t id, std::uint64_t serial, std::string_view help)
{
    boost::json::object body{
        {"error", "egress refused"},
        {"reason", to_string(r.why)},
        {"explanation", explained(r)},
    };
    if (!r.host.empty()) {
        body["host"] = r.host;
        body["port"] = r.port;
    }
    body["policy_serial"] = serial;
    body["request_id"] = hex(id);
    if (!help.empty()) body["help"] = help;
    return boost::json::serialize(body) + "\n";
}

} // namespace

std::string place_text(std::string_view host, std::uint16_t port)
{
    const bool v6 = host.find(':') != std::string_view::npos;
    const std::string text{host};
    return (v6 ? '[' + text + ']' : text) + ':' + std::to_string(port);
}

task<> linger(tunnel& t, bool patient)
{
    finish_writing(t.client_side);
    t.set_deadline(limits::linger_time);
    for (std::size_t dropped = 0; dropped < limits::linger_bytes && !t.deadline_passed() && !t.client_side.broken;) {
        if (t.client_side.readable) {
            const auto got = read_some(t.client_side, t.home.scratch());
            if (got.ended() || got.failed()) co_return;
            dropped += got.bytes;
        }
        if (t.client_side.readable) continue;
        if (!patient) co_return;
        co_await t.event();
    }
}

task<> send_out(tunnel& t)
{
    const auto end = t.home.due.now() + ticks(limits::linger_time);
    while (unsent(t.upstream) > 0 && t.home.due.now() < end && !t.home.cutting()) {
        t.set_due(t.home.due.now() + 1);
        co_await t.event();
    }
}

std::string refusal_reply(const refused_request& r, std::uint64_t id, std::uint64_t serial, std::string_view help)
{
    const auto status = http_status(r.why);
    const auto body = r.json ? json_body(r, id, serial, help) : text_body(r, id, serial, help);
    const std::string word{to_string(r.why)};
    std::string out = "HTTP/1.1 " + std::to_string(status) + ' ' +
                      std::string{boost::beast::http::obsolete_reason(boost::beast::http::int_to_status(status))};
    (out += ": ") += word; // for a refused CONNECT, most clients show only this line
    out += "\r\nProxy-Status: exeat; error=" + std::string{proxy_error(r.why)} + "; details=\"" + word + '"';
    out += "\r\nX-Exeat-Reason: " + word + "\r\nX-Exeat-Request: " + hex(id);
    out += r.json ? "\r\nContent-Type: application/json" : "\r\nContent-Type: text/plain; charset=utf-8";
    out += "\r\nContent-Length: " + std::to_string(body.size()) + "\r\nConnection: close\r\n\r\n";
    return out + body;
}

namespace {

std::string reply_of(const tunnel& t, const refusal& r)
{
    const auto& settings = t.home.policy_now().rules->settings();
    const auto& known = r.facts().details;
    const bool unknown = known.empty() && *r.why == verdict::source_not_allowed;
    const auto details = unknown ? "the address is " + t.who.source.to_string() : known;
    refused_request what{*r.why, {}, 0, t.accepts_json, details};
    if (t.to) what.host = t.to->host.str(), what.port = t.to->port;
    return refusal_reply(what, t.bill->id(), settings.serial, settings.deny_help);
}

task<> reply(tunnel& t, const refusal& r)
{
    const auto why = *r.why;
    const auto text = reply_of(t, r);
    t.set_deadline(t.home.settings().head_timeout);
    if (!co_await send_last(t, text)) co_return;
    const bool unread = r.body_follows || http_status(why) == 400 || why == verdict::head_too_large;
    co_await linger(t, unread);
}

// Whether a client that should speak TLS in its tunnel sends plain HTTP: its bytes begin with a method and a space.
bool speaks_http(std::string_view seen) noexcept
{
    const auto method = seen.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ");
    return method > 0 && method != seen.npos && seen[method] == ' ';
}

bool speaks_http_for_tls(const tunnel& t, verdict why) noexcept
{
    const bool in_tunnel = t.bill->mode() == request_mode::connect && !t.bill->is_open();
    return why == verdict::not_tls && in_tunnel && speaks_http(t.held);
}

void tell_of_plain_http(refusal& r)
{
    r.know({.details = "it sent plain HTTP: use https://, or an entry with protocol = \"http\""});
    r.body_follows = true;
}

// RFC 8446 sections 5.1 and 6: an alert record with a fatal alert.
task<> alert(tunnel& t, verdict why)
{
    const std::array<char, 7> record{0x15, 0x03, 0x03, 0x00, 0x02, 0x02, static_cast<char>(tls_alert(why))};
    const std::string_view bytes{record.data(), record.size()};
    t.set_deadline(t.home.settings().hello_timeout);
    if (!co_await send_last(t, bytes)) co_return;
    co_await linger(t, false);
}

} // namespace

task<> refuse(tunnel& t, refusal r)
{
    if (!r.why) {
        t.bill->abandoned();
        co_return;
    }
    t.bill->denied(r);
    if (!t.bill->is_open()) t.drop_decision();
    if (r.answer_begun) {
        reset_on_close(t.client_side);
        co_return;
    }
    if (speaks_http_for_tls(t, *r.why)) {
        t.answer_in_tls = false;
        tell_of_plain_http(r);
    }
    if (t.answer_in_tls) co_await alert(t, *r.why);
    else co_await reply(t, r);
}

} // namespace exeat::net
