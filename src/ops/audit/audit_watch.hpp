// Detects that the audit log's thread does not respond, and reports in exeat's own log when the audit log fails and when it works again,
// including a failure that ended between two looks. Lives on one io_context; looks once per second and logs at most two lines per look.
#pragma once

#include <net/loop/kept_memory.hpp>
#include <ops/audit/journal.hpp>
#include <ops/process/log.hpp>

#include <exeat/config.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <cstdint>

namespace exeat::ops {

class audit_watch {
public:
    audit_watch(boost::asio::io_context&, journal&, audit_failure, const event_log&);

private:
    void look();
    void look_for_sign();
    void tell();
    void say_failed(std::string why);

    boost::asio::steady_timer timer_;
    net::shared_kept_memory look_memory_;
    journal& audit_;
    const audit_failure on_failure_;
    const event_log& log_;
    bool failing_ = false;     // and this was logged
    std::uint64_t errors_ = 0; // at the last look
    std::uint64_t signs_ = 0;  // the thread's count at the last look
    int without_sign_ = 0;     // looks since that count last changed
};

} // namespace exeat::ops
