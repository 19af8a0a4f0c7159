#include <net/relay.hpp>

#include <net/pump.hpp>
#include <net/worker.hpp>

namespace exeat::net {

task<ending> relay(tunnel& t, std::string& answer)
{
    pump up{t.client_side, t.upstream, std::exchange(t.held, {}), pump::towards::upstream};
    pump down{t.upstream, t.client_side, std::exchange(answer, {}), pump::towards::client};
    const auto idle = t.home.settings().idle_timeout;
    t.set_deadline(idle);
    for (auto seen = t.book->bytes();;) {
        if (t.cut) co_return t.cut->as;
        const pump::ways w{t.home.scratch(), t.home.pipes, *t.book};
        const auto sent = up.step(w, down.done());
        const auto received = down.step(w, up.done());
        if (sent == pump::state::from_failed || received == pump::state::to_failed) co_return ending::client_reset;
        if (sent == pump::state::to_failed || received == pump::state::from_failed) co_return ending::upstream_reset;
        if (sent == pump::state::spent) co_return t.book->spent().as;
        if (up.done() && down.done()) co_return ending::finished;
        if (const auto now = t.book->bytes(); now != seen) seen = now, t.set_deadline(idle);
        if (t.deadline_passed()) co_return ending::idle_timeout;
        if (t.home.due.at(t.slot).report) t.book->progress();
        if (sent == pump::state::more || received == pump::state::more) t.wake.yield();
        co_await t.event();
    }
}

} // namespace exeat::net
