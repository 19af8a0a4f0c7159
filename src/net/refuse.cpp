#include <net/refuse.hpp>

#include <net/send.hpp>
#include <net/socket.hpp>
#include <net/worker.hpp>

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

std::string place(const refusal& r)
{
    if (r.host.empty()) return {};
    const bool v6 = r.host.find(':') != std::string::npos;
    return (v6 ? '[' + r.host + ']' : r.host) + ':' + std::to_string(r.port);
}

std::string text_body(const refusal& r, std::uint64_t id, std::uint64_t serial, std::string_view help)
{
    const auto to = place(r);
    std::string out = "exeat refused this request";
    if (!to.empty()) out += " to " + to;
    out += ".\n  reason:  " + std::string{to_string(r.why)} + " (" + std::string{explanation(r.why)} + ")";
    out += "\n  policy:  serial " + std::to_string(serial) + "\n  request: " + hex(id) + "\n";
    if (!help.empty()) (out += "\n") += std::string{help} + "\n";
    return out;
}

std::string json_body(const refusal& r, std::uint64_t id, std::uint64_t serial, std::string_view help)
{
    boost::json::object body{
        {"error", "egress refused"},
        {"reason", to_string(r.why)},
        {"explanation", explanation(r.why)},
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

// Reads and drops what the client still sends, so that closing does not reset the connection under the reply.
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

} // namespace

refusal refusal_of(const tunnel& t, verdict why)
{
    refusal r;
    r.why = why;
    if (t.to) r.host = t.to->host.str(), r.port = t.to->port;
    return r;
}

std::string refusal_reply(const refusal& r, std::uint64_t id, std::uint64_t serial, std::string_view help)
{
    const auto status = http_status(r.why);
    const auto body = r.json ? json_body(r, id, serial, help) : text_body(r, id, serial, help);
    const std::string word{to_string(r.why)};
    std::string out = "HTTP/1.1 " + std::to_string(status) + ' ' +
                      std::string{boost::beast::http::obsolete_reason(boost::beast::http::int_to_status(status))};
    out += "\r\nProxy-Status: exeat; error=" + std::string{proxy_error(r.why)} + "; details=\"" + word + '"';
    out += "\r\nX-Exeat-Reason: " + word + "\r\nX-Exeat-Request: " + hex(id);
    if (status == 407) out += "\r\nProxy-Authenticate: Basic realm=\"exeat: a client certificate is required\"";
    out += r.json ? "\r\nContent-Type: application/json" : "\r\nContent-Type: text/plain; charset=utf-8";
    out += "\r\nContent-Length: " + std::to_string(body.size()) + "\r\nConnection: close\r\n\r\n";
    return out + body;
}

task<> refuse_http(tunnel& t, refusal r)
{
    t.book->denied(r.why, r.host, r.port, r.server_name);
    const auto& settings = t.rules->settings();
    const auto reply = refusal_reply(r, t.book->id(), settings.serial, settings.deny_help);
    t.set_deadline(t.home.settings().head_timeout);
    if (!co_await send_all(t, t.client_side, reply)) co_return;
    const bool unread = r.body_follows || http_status(r.why) == 400 || r.why == verdict::head_too_large;
    co_await linger(t, unread);
}

task<> refuse_tls(tunnel& t, refusal r)
{
    t.book->denied(r.why, r.host, r.port, r.server_name);
    // RFC 8446 sections 5.1 and 6: an alert record, fatal.
    const std::array<char, 7> alert{0x15, 0x03, 0x03, 0x00, 0x02, 0x02, static_cast<char>(tls_alert(r.why))};
    const std::string_view bytes{alert.data(), alert.size()};
    t.set_deadline(t.home.settings().hello_timeout);
    if (!co_await send_all(t, t.client_side, bytes)) co_return;
    co_await linger(t, false);
}

} // namespace exeat::net
