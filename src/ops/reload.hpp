// Keeps the enforced policy in step with the allowlist on disk: loads on its own thread, puts only complete and valid lists in force, and
// on any error keeps the old list and logs the error. A file that was written while it was read is read again. A list that was written in
// place and is now only the beginning of its former content is held back for a while, because its writer may not have finished. Where lists
// must be approved, files and manifest have a grace period to agree before a mismatch counts as a failure; meanwhile a revocation takes
// effect at once, in the stored copy that replaces the list. Lives on one io_context; its callbacks run there.
#pragma once

#include <net/loop/kept_memory.hpp>
#include <ops/approvals/policy_gate.hpp>
#include <ops/files/file_watch.hpp>
#include <ops/policy/label_registry.hpp>
#include <ops/policy/load_allowlist.hpp>
#include <ops/policy/policy_status.hpp>
#include <ops/process/log.hpp>
#include <ops/process/notify.hpp>
#include <ops/succession.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace exeat::ops {

class journal;

class reload {
public:
    using taker = std::function<void(std::shared_ptr<const policy>, std::uint64_t generation)>;
    struct surroundings {
        const watched_file& settings; // exeat.toml, as it was when it was read
        label_registry& labels;
        policy_status& status;
        journal& audit;
        const notifier& manager;
        const event_log& log;
        succession& accounts;
    };
    reload(boost::asio::io_context&, policy_gate&, const surroundings&, const loaded_allowlist& first, taker);
    ~reload();

    void now(std::string_view cause); // "file changed"
    // An explicit request: the files are taken as they are, even if they look like truncated copies of the former ones.
    void at_once(std::string_view cause);           // "SIGHUP"
    void stop();                                    // waits for a load in progress
    bool busy() const noexcept { return loading_; } // a load is on its way, and compares with the list in force

private:
    using clock = std::chrono::steady_clock;

    struct loaded : loaded_allowlist {
        succession::step inheritance; // inherited by its rules
    };
    struct errand { // what the loader brings back
        loaded what;
        std::string cause;
    };
    loaded load_in_memory();
    loaded load();
    void finished(loaded, std::string cause);
    void take(loaded, const std::string& cause);
    bool read_again(loaded_allowlist&);
    bool hold_back(const loaded_allowlist&);
    bool is_part_of_former(const watched_file&) const;
    void look_later(boost::asio::steady_timer&, net::shared_kept_memory&, clock::time_point, std::string_view cause);
    bool wait_for_approval(const loaded_allowlist&);
    void take_approvals(const loaded_allowlist&);
    void refuse(const loaded_allowlist&, const std::string& cause);
    void put_in_force(loaded&, const std::string& cause);
    void hand_out(const std::shared_ptr<const policy>&);
    void release(std::shared_ptr<const policy> former);
    void release_former();
    void note(bool ok, std::string text, const policy_settings&);

    boost::asio::io_context& io_;
    policy_gate& gate_;
    const surroundings with_;
    const taker take_;
    net::shared_kept_memory way_back_;
    boost::asio::thread_pool loader_{1};
    file_watch watch_;
    std::vector<watched_file> in_force_;                  // the files as they were read for the list in force
    boost::asio::steady_timer held_;                      // runs while a list is held back
    std::map<std::string, clock::time_point> held_since_; // by path: since when a truncated file is held back
    std::optional<clock::time_point> unsettled_since_;    // since when files change while they are read
    boost::asio::steady_timer approval_;                  // runs while files and manifest do not agree
    std::optional<clock::time_point> unapproved_since_;   // since when they do not agree
    std::vector<ignored_file> told_ignored_;              // already logged
    std::string told_copy_error_;                         // already logged
    std::vector<std::shared_ptr<const policy>> former_;   // policies that a worker may still hold
    boost::asio::steady_timer release_;
    net::shared_kept_memory held_memory_, approval_memory_, release_memory_;
    bool loading_ = false;
    bool again_ = false;
    bool at_once_ = false;
};

} // namespace exeat::ops
