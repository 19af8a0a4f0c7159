#include <ops/process/clock_watch.hpp>

#include <net/wall_clock.hpp>

#include <boost/asio/bind_allocator.hpp>
#include <chrono>
#include <string>
#include <utility>

namespace exeat::ops {

clock_watch::clock_watch(boost::asio::io_context& io, const event_log& log, std::function<void()> set_right)
    : timer_{io}, log_{log}, set_right_{std::move(set_right)}
{
    look();
}

void clock_watch::look()
{
    timer_.expires_after(std::chrono::seconds{1});
    timer_.async_wait(boost::asio::bind_allocator(memory_.memory(), [this](boost::system::error_code failed) {
        if (!failed) look();
    }));
    const auto now = net::look_at_wall().count();
    const auto before = steps_.now.exchange(now);
    if ((before == 0) == (now == 0)) return;
    if (now != 0) ++steps_.all;
    report(before, now);
    if (now == 0) set_right_();
}

void clock_watch::report(std::int64_t before, std::int64_t now) const
{
    if (now == 0) return log_.say(severity::notice, "the clock is well again", {{"was wrong by", std::to_string(before) + " s"}});
    const auto* meanwhile = now > 0 ? "what expires until then is denied, and becomes so for good in ten minutes"
                                    : "expiry uses the time since boot, as if it had not been set back";
    log_.say(severity::error, "the clock was set to another time",
             {{"by", std::to_string(now) + " s"},
              {"meanwhile", meanwhile},
              {"what to do", "set the machine's clock right; exeat needs no restart"}});
}

} // namespace exeat::ops
