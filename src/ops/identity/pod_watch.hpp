// Keeps the workers' knowledge of pods in step with its source, on a thread of its own. What cannot be read changes nothing and is logged
// once; when nothing new was read for kubernetes_settings::stale_after, the pods that are known do not count for new connections any more.
// Nothing is kept on disk: an old table is a wrong table.
#pragma once

#include <exeat/config.hpp>
#include <ops/identity/pod_table.hpp>
#include <ops/identity/pods_file.hpp>
#include <ops/identity/workload_names.hpp>
#include <ops/process/log.hpp>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

namespace exeat::ops {

class pod_watch {
public:
    // Called on the watch's thread with every change; may throw std::bad_alloc and is then called again with the next look.
    using taker = std::function<void(std::shared_ptr<const pod_snapshot>)>;

    // Reads the source once, so that a process serves known pods from its first connection on. Without networks it does nothing.
    pod_watch(const kubernetes_settings&, const event_log&);
    ~pod_watch();
    void begin(taker);
    void stop();

    std::shared_ptr<const pod_snapshot> first() const noexcept { return now_; } // before begin(); never null
    const workload_names& names() const noexcept { return names_; }

    // ---- any thread, for metrics
    bool has_source() const noexcept { return !settings_.networks.empty(); }
    std::size_t known() const noexcept { return known_.load(std::memory_order_relaxed); }
    std::size_t contested() const noexcept { return contested_.load(std::memory_order_relaxed); }
    std::uint64_t failures() const noexcept { return failures_.load(std::memory_order_relaxed); }
    std::uint64_t changes() const noexcept { return changes_.load(std::memory_order_relaxed); } // of addresses
    pod_source source() const noexcept { return source_.load(std::memory_order_relaxed); }
    std::chrono::seconds age() const noexcept; // since the source last said how things are

private:
    using clock = std::chrono::steady_clock;
    void run(std::stop_token);
    void look();
    bool read();
    void take(const pods_news&);
    void tell_of(const std::string& why); // empty: all is well
    pod_source source_at(clock::time_point) const noexcept;
    void publish();

    const kubernetes_settings settings_;
    const event_log& log_;
    taker take_;
    workload_names names_;
    pods_file file_;
    std::unique_ptr<pod_table> table_; // null after a lack of memory: the next look begins anew
    pod_index index_;
    std::shared_ptr<const pod_snapshot> now_;
    std::string looked_, failed_with_; // the file as it was read last; what was logged of it
    clock::time_point unfinished_since_ = clock::time_point::max();
    bool good_ = false, published_ = true;
    std::atomic<clock::rep> fresh_at_;
    std::atomic<std::size_t> known_{0}, contested_{0};
    std::atomic<std::uint64_t> failures_{0}, changes_{0};
    std::atomic<pod_source> source_{pod_source::away};
    std::mutex sleep_lock_;
    std::condition_variable_any sleep_;
    std::jthread thread_;
};

} // namespace exeat::ops
