// Follows the pods of a cluster, or of one of its namespaces: lists them and watches them, over and over. What fails is logged when it
// begins and when it ends, and is tried again at growing intervals; until then what was known stays. One thread.
#pragma once

#include <exeat/config.hpp>
#include <ops/identity/api_connection.hpp>
#include <ops/identity/api_pods.hpp>
#include <ops/identity/line_splitter.hpp>
#include <ops/process/log.hpp>

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>

namespace exeat::ops {

class api_watch {
public:
    using clock = std::chrono::steady_clock;
    struct taker {
        std::function<void()> listed;                    // all pods are new
        std::function<void(std::string_view)> changed{}; // lines for the file
    };

    // `space`: the namespace; empty: all.
    api_watch(const kubernetes_settings&, std::string space, taker, const event_log&);
    boost::asio::awaitable<void> run(); // never returns

    const api_pods& pods() const noexcept { return pods_; }
    bool listed() const noexcept { return listed_; }                           // at least once
    std::optional<clock::time_point> since() const noexcept { return since_; } // it is being watched; nothing: it is not
    clock::time_point last_current() const noexcept { return since_ ? clock::now() : last_current_; }

private:
    boost::asio::awaitable<api_failure> follow();
    boost::asio::awaitable<api_failure> list();
    boost::asio::awaitable<api_failure> list_pages();
    boost::asio::awaitable<api_failure> watch();
    std::string take_lines(line_splitter&, clock::time_point& heard);
    void leave_out(const api_pod&);
    void tell_of(const std::string& why); // empty: all is well
    std::string subject() const;

    const kubernetes_settings& settings_;
    const taker take_;
    const event_log& log_;
    api_pods pods_;
    bool listed_ = false, must_list_ = true;
    std::optional<clock::time_point> since_;
    clock::time_point last_current_ = clock::now();
    std::string failed_with_;
    std::set<std::string> left_out_; // UIDs that were logged
};

} // namespace exeat::ops
