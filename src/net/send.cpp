#include <net/send.hpp>

#include <net/socket.hpp>
#include <net/worker.hpp>

namespace exeat::net {

task<bool> send_all(tunnel& t, watched_socket& to, std::string_view bytes)
{
    for (;;) {
        if (to.writable) {
            const auto sent = write_some(to, bytes);
            if (sent.failed()) co_return false;
            bytes.remove_prefix(sent.bytes);
        }
        if (bytes.empty()) co_return true;
        if (t.deadline_passed()) co_return false;
        co_await t.event();
    }
}

} // namespace exeat::net
