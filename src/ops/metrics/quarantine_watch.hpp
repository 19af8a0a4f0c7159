// Keeps to what the file `quarantine` of the state directory says: looks several times a second whether it has changed, hands what holds
// now to the workers, and says in exeat's log and in the audit log what has begun and what has ended. A file that cannot be read changes
// nothing. A quarantine ends by the earlier of two clocks, so that nobody ends it by setting one. Lives on one io_context; the queries:
// any thread.
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
    using taker = std::function<void(const std::shared_ptr<const quarantines>&)>; // may throw std::bad_alloc, and is asked again
    using noter = std::function<void(process_event)>;

    // Without a state directory nothing is ever quarantined. A client in IPv6 is the network of `client_prefix` bits around it. Throws
    // std::runtime_error where the file cannot be read: whom to refuse is not known then.
    quarantine_watch(boost::asio::io_context&, const std::string& state, std::uint8_t client_prefix, const event_log&);
    void begin(taker, noter); // what holds at the start is told, too
    // A new list lets out through other entries what a quarantined one did: they are quarantined as well, for as long. `names`: of entries,
    // by rule::id. Writes the file; where that fails they are quarantined until it changes. Throws std::bad_alloc.
    void pass_on(const heirs_of<std::uint64_t>& entries, const std::map<std::uint64_t, std::string>& names);

    std::shared_ptr<const quarantines> now() const; // never null
    std::string error() const;                      // why the file cannot be read; empty: it can

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
    std::string looked_; // what the file was like when it was read last
    quarantines written_, told_;
    mutable std::mutex mutex_; // of the two below
    std::shared_ptr<const quarantines> in_force_ = std::make_shared<const quarantines>();
    std::string error_;
};

} // namespace exeat::ops
