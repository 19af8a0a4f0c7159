#include <ops/process/watchdog.hpp>

#include <exeat/limits.hpp>

#include <algorithm>
#include <boost/asio/bind_allocator.hpp>

namespace exeat::ops {

watchdog::watchdog(boost::asio::io_context& io, const notifier& manager, const event_log& log, rounds r)
    : timer_{io}, manager_{manager}, log_{log}, rounds_{std::move(r)}
{}

void watchdog::begin()
{
    seen_ = rounds_();
    if (manager_.watchdog().count() > 0) wait();
}

// Checks twice per watchdog interval (sd_watchdog_enabled(3)), but not more often than every worker completes a sweep.
void watchdog::wait()
{
    const auto half = std::chrono::duration_cast<std::chrono::steady_clock::duration>(manager_.watchdog() / 2);
    timer_.expires_after(std::max<std::chrono::steady_clock::duration>(half, 2 * limits::sweep_interval));
    timer_.async_wait(boost::asio::bind_allocator(memory_.memory(), [this](boost::system::error_code failed) {
        if (failed) return;
        wait();
        look();
    }));
}

void watchdog::look()
{
    const auto now = rounds_();
    std::string silent;
    for (std::size_t i = 0; i < now.size(); ++i)
        if (now[i] == seen_[i]) silent += (silent.empty() ? "" : " ") + std::to_string(i);
    seen_ = now;
    if (silent.empty()) manager_.alive();
    else if (!stuck_) log_.say(severity::error, "a worker does not answer, the watchdog is not fed", {{"workers", silent}});
    stuck_ = !silent.empty();
}

} // namespace exeat::ops
