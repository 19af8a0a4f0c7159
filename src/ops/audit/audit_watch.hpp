// Notices that the audit log's thread gives no sign, and says on exeat's own log when the audit log fails and when it is well again: what
// failed and recovered between two looks as well. Lives on one io_context; looks once in a second, and says two lines at most of each look.
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
    bool failing_ = false;     // and it was said
    std::uint64_t errors_ = 0; // at the last look
    std::uint64_t signs_ = 0;  // of the thread, at the last look
    int without_sign_ = 0;     // looks, since it gave one
};

} // namespace exeat::ops
