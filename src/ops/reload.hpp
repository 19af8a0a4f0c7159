// Keeps the policy that is enforced in step with the allowlist on disk: loads on a thread of its own, swaps only what is whole and valid,
// keeps the old list on any error and says so. Lives on one io_context; its callbacks run there.
#pragma once

#include <net/kept_memory.hpp>
#include <ops/file_watch.hpp>
#include <ops/label_registry.hpp>
#include <ops/load_allowlist.hpp>
#include <ops/log.hpp>
#include <ops/notify.hpp>
#include <ops/policy_gate.hpp>
#include <ops/policy_status.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/thread_pool.hpp>

#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace exeat::ops {

class journal;

class reload {
public:
    using taker = std::function<void(std::shared_ptr<const policy>, std::uint64_t generation)>;
    struct surroundings {
        label_registry& labels;
        policy_status& status;
        journal& audit;
        const notifier& manager;
        const event_log& log;
    };
    reload(boost::asio::io_context&, policy_gate&, const surroundings&, std::vector<watched_file> files, taker);
    ~reload();

    void now(std::string_view cause); // "SIGHUP", "file changed"
    void stop();                      // waits for a load in progress

private:
    loaded_allowlist load_in_memory();
    void finished(loaded_allowlist, std::string cause);
    void take(loaded_allowlist, const std::string& cause);
    void hand_out(const std::shared_ptr<const policy>&);
    void note(bool ok, std::string text, const policy_settings&);

    boost::asio::io_context& io_;
    policy_gate& gate_;
    const surroundings with_;
    const taker take_;
    net::shared_kept_memory way_back_;
    boost::asio::thread_pool loader_{1};
    file_watch watch_;
    bool loading_ = false;
    bool again_ = false;
};

} // namespace exeat::ops
