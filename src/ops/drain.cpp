#include <ops/drain.hpp>

#include <exeat/limits.hpp>

#include <boost/asio/bind_allocator.hpp>
#include <fmt/format.h>

namespace exeat::ops {

drain::drain(boost::asio::io_context& io, const notifier& manager, const event_log& log, std::function<std::size_t()> left,
             std::function<void()> over)
    : manager_{manager}, log_{log}, left_{std::move(left)}, over_{std::move(over)}, timer_{io}
{}

void drain::begin(std::chrono::milliseconds timeout)
{
    until_ = std::chrono::steady_clock::now() + timeout;
    watch();
}

// Reports to the service manager at every change, and to the log every limits::drain_report_interval.
void drain::tell(std::size_t left)
{
    if (left != told_) manager_.status(fmt::format("draining, {} connections left", left));
    told_ = left;
    const auto now = std::chrono::steady_clock::now();
    if (now < log_at_) return;
    log_at_ = now + limits::drain_report_interval;
    const auto rest = std::chrono::ceil<std::chrono::seconds>(until_ - now);
    log_.say(severity::notice, "draining", {{"connections", std::to_string(left)}, {"seconds left", std::to_string(rest.count())}});
}

void drain::watch()
{
    const auto left = left_();
    if (left == 0) return over_();
    tell(left);
    if (std::chrono::steady_clock::now() >= until_) {
        log_.say(severity::warning, "drain_timeout is over, cutting what is left", {{"connections", std::to_string(left)}});
        return over_();
    }
    timer_.expires_after(limits::sweep_interval);
    timer_.async_wait(boost::asio::bind_allocator(memory_.memory(), [this](boost::system::error_code failed) {
        if (!failed) watch();
    }));
}

} // namespace exeat::ops
