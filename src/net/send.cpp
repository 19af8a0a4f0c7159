#include <net/send.hpp>

#include <net/sockets/socket.hpp>
#include <net/sockets/splice_pipe.hpp>
#include <net/stage_context.hpp>

#include <cassert>

namespace exeat::net {

namespace {

// `write` writes at most the given number of bytes to the socket.
template <class Write> sent send_through_gate(account& bill, std::size_t bytes, Write write) noexcept
{
    if (bill.waits_for_log()) return {sent::how::waits, 0};
    const auto granted = bill.gate.take(bytes, bill.minute());
    bill.note_gate();
    if (granted == 0) return {bill.gate.waits() ? sent::how::waits : sent::how::spent, 0};
    const io_result r = write(granted);
    assert(r.bytes <= granted);
    if (r.bytes < granted) bill.gate.give_back(granted - r.bytes);
    bill.uploaded(r.bytes);
    return {r.failed() || r.ended() ? sent::how::failed : sent::how::wrote, r.bytes, r.error};
}

task<bool> send_by(tunnel& t, watched_socket& to, std::string_view bytes, io_result (*write)(watched_socket&, std::string_view) noexcept)
{
    for (;;) {
        if (to.writable) {
            const auto r = write(to, bytes);
            if (r.failed()) co_return false;
            bytes.remove_prefix(r.bytes);
        }
        if (bytes.empty()) co_return true;
        if (t.deadline_passed()) co_return false;
        co_await t.event();
    }
}

} // namespace

task<bool> send_all(tunnel& t, watched_socket& to, std::string_view bytes) { return send_by(t, to, bytes, write_some); }
task<bool> send_last(tunnel& t, std::string_view bytes) { return send_by(t, t.client_side, bytes, write_last); }

sent send_upstream(account& bill, watched_socket& to, std::string_view bytes) noexcept
{
    return send_through_gate(bill, bytes.size(), [&](std::size_t most) { return write_some(to, bytes.substr(0, most)); });
}

sent send_upstream(account& bill, watched_socket& to, splice_pipe& from) noexcept
{
    return send_through_gate(bill, from.held, [&](std::size_t most) { return from.drain(to, most); });
}

} // namespace exeat::net
