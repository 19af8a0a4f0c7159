#include <ops/audit/audit_watch.hpp>

#include <boost/asio/bind_allocator.hpp>

#include <exeat/limits.hpp>

#include <chrono>
#include <new>

namespace exeat::ops {

namespace {

constexpr std::chrono::seconds between_looks{1};

} // namespace

audit_watch::audit_watch(boost::asio::io_context& io, journal& audit, audit_failure on_failure, const event_log& log)
    : timer_{io}, audit_{audit}, on_failure_{on_failure}, log_{log}, errors_{audit.counts().errors}
{
    look();
}

void audit_watch::look()
{
    try {
        look_for_sign();
        tell();
    } catch (const std::bad_alloc&) {} // the next look reports it
    timer_.expires_after(between_looks);
    timer_.async_wait(boost::asio::bind_allocator(look_memory_.memory(), [this](boost::system::error_code failed) {
        if (!failed) look();
    }));
}

// Counts looks and not time, so that a stop of the whole process does not count as a hang of the audit log's thread.
void audit_watch::look_for_sign()
{
    const auto signs = audit_.signs();
    without_sign_ = signs == signs_ ? without_sign_ + 1 : 0;
    signs_ = signs;
    if (without_sign_ >= limits::audit_away / between_looks) audit_.is_away();
}

void audit_watch::say_failed(std::string why)
{
    const bool denies = on_failure_ == audit_failure::deny;
    log_.say(severity::error, "the audit log cannot be written",
             {{"why", std::move(why)}, {"so", denies ? "nothing new is let out" : "what is let out meanwhile is logged later, or lost"}});
}

// Reads the error count before the health, so that the next look sees a failure that happens between the two.
void audit_watch::tell()
{
    const auto errors = audit_.counts().errors;
    const bool healthy = audit_.healthy();
    const bool failed = errors > errors_ || !healthy;
    if (failed && !failing_) {
        auto why = audit_.last_error();
        say_failed(why.empty() ? "a write failed, and was done again" : std::move(why));
        failing_ = true;
    }
    errors_ = errors;
    if (!failing_ || !healthy) return;
    log_.say(severity::notice, "the audit log is written again");
    failing_ = false;
}

} // namespace exeat::ops
