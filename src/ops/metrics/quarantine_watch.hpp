// Enforces the file `quarantine` in the state directory: checks several times a second whether it has changed, passes the quarantines in
// force to the workers, and reports each start and end in exeat's log and in the audit log. A file that cannot be read changes nothing. A
// quarantine ends by the earlier of two clocks, so that setting one clock does not end it. Lives on one io_context; the queries: any
// thread.
#pragma once

#include <exeat/budget/heirs.hpp>
#include <exeat/quarantine.hpp>
#include <net/loop/kept_memory.hpp>
#include <ops/audit/audit_line.hpp>
#include <ops/process/log.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>

namespace exeat::ops {

class quarantine_watch {
public:
    using taker = std::function<void(const std::shared_ptr<const quarantines>&)>; // may throw std::bad_alloc and is then called again
    using noter = std::function<void(process_event)>;

    // Without a state directory nothing is ever quarantined. An IPv6 client is the network of `client_prefix` bits around its address.
    // Throws std::runtime_error when the file cannot be read, because the clients to refuse are unknown then.
    quarantine_watch(boost::asio::io_context&, const std::string& state, std::uint8_t client_prefix, const event_log&);
    void begin(taker, noter); // also reports the quarantines in force at the start
    // When a new list allows the hosts of a quarantined entry through other entries, these are quarantined as well, until the same time.
    // `names` contains entry names by rule::id. Writes the file; if that fails, they are quarantined until the file changes. Throws
    // std::bad_alloc.
    void pass_on(const heirs_of<std::uint64_t>& entries, const std::map<std::uint64_t, std::string>& names);
    bool has(std::uint64_t entry) const; // whether it is quarantined, by rule::id

    std::shared_ptr<const quarantines> now() const; // never null
    std::string error() const;                      // why the file cannot be read; empty: no error

private:
    void look();
    void read();
    void enforce();
    void tell();
    void say(const quarantine&, const char* what, severity) const;

    boost::asio::steady_timer timer_;
    net::shared_kept_memory memory_;
    const std::string path_;
    const std::uint8_t client_prefix_;
    const event_log& log_;
    taker take_;
    noter note_;
    std::string looked_; // state of the file when it was last read
    quarantines written_, told_;
    quarantines inherited_;    // that could not be written to the file
    mutable std::mutex mutex_; // guards the two members below
    std::shared_ptr<const quarantines> in_force_ = std::make_shared<const quarantines>();
    std::string error_;
};

} // namespace exeat::ops
