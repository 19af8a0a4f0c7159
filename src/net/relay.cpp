#include <net/relay.hpp>

#include <net/pump.hpp>
#include <net/stage_context.hpp>

namespace exeat::net {

task<ending> relay(tunnel& t, std::unique_ptr<std::string>& early)
{
    pump up{t.client_side, t.upstream, std::exchange(t.held, {}), pump::towards::upstream};
    pump down{t.upstream, t.client_side, early ? std::move(*early) : std::string{}, pump::towards::client};
    early.reset();
    const auto idle = t.home.settings().idle_timeout;
    t.set_deadline(idle);
    for (auto seen = t.bill->bytes();;) {
        if (t.cut) co_return t.cut->as;
        const pump::ways w{t.home.scratch(), t.home.pipes, *t.bill};
        const auto sent = up.step(w, down.done());
        const auto received = down.step(w, up.done());
        if (sent == pump::state::from_failed || received == pump::state::to_failed) co_return ending::client_reset;
        if (sent == pump::state::to_failed || received == pump::state::from_failed) co_return ending::upstream_reset;
        // A pump that waits for the upstream or its gate does not read from the client, which may be gone.
        if (t.client_side.failed && sent != pump::state::more) co_return ending::client_reset;
        if (sent == pump::state::spent) co_return t.bill->spent().as;
        if (up.done() && down.done()) co_return ending::finished;
        const auto now = t.bill->bytes();
        if (now != seen || sent == pump::state::held) seen = now, t.set_deadline(idle); // waiting for a budget is not idle
        if (t.deadline_passed()) co_return ending::idle_timeout;
        if (t.home.due.at(t.slot).report) t.bill->progress();
        if (sent == pump::state::more || received == pump::state::more) t.wake.yield();
        co_await t.event();
    }
}

} // namespace exeat::net
