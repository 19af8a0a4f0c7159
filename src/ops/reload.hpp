// Keeps the policy that is enforced in step with the allowlist on disk: loads on a thread of its own, swaps only what is whole and valid,
// keeps the old list on any error and says so. What was read while somebody wrote it is read again. A list that was written in place and is
// now no more than the beginning of what it was is held back for a while: whoever writes it may not be through. Where lists must be
// approved, files and manifest have a while to agree before it counts that they do not; what was revoked meanwhile is closed at once, in
// the copy that stands in. Lives on one io_context; its callbacks run there.
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
    // Somebody asks for it: what is there is meant, also where it looks like a part of what was there before.
    void at_once(std::string_view cause); // "SIGHUP"
    void stop();                          // waits for a load in progress

private:
    using clock = std::chrono::steady_clock;

    struct loaded : loaded_allowlist {
        succession::step inheritance; // of its rules
    };
    loaded load_in_memory();
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
    std::vector<watched_file> in_force_;                  // as they were read for the list in force
    boost::asio::steady_timer held_;                      // runs while a list is held back
    std::map<std::string, clock::time_point> held_since_; // by path, of the files that it is held back for
    std::optional<clock::time_point> unsettled_since_;    // files have changed while they were read
    boost::asio::steady_timer approval_;                  // runs while files and manifest do not agree
    std::optional<clock::time_point> unapproved_since_;   // they have not agreed
    std::vector<ignored_file> told_ignored_;              // that the log has named
    std::string told_copy_error_;                         // the same
    std::vector<std::shared_ptr<const policy>> former_;   // that a worker may still hold
    boost::asio::steady_timer release_;
    net::shared_kept_memory held_memory_, approval_memory_, release_memory_;
    bool loading_ = false;
    bool again_ = false;
    bool at_once_ = false;
};

} // namespace exeat::ops
