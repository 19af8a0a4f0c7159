// A journal at work on rings that a test fills, and what it has written.
#pragma once

#include "temporary_directory.hpp"

#include <ops/audit/journal.hpp>
#include <ops/offline/verify_audit.hpp>

#include <boost/json.hpp>
#include <fstream>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace exeat::test {

using namespace exeat::ops;

inline std::string contents(const std::string& path)
{
    std::ifstream file{path, std::ios::binary};
    return {std::istreambuf_iterator<char>{file}, {}};
}

// Long for a machine that is busy; what is waited for is what is tested, not how long it took.
inline bool comes_true(const std::function<bool()>& is)
{
    for (int i = 0; i < 6'000 && !is(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds{5});
    return is();
}

struct desk {
    label_registry labels;
    policy_status status;
    std::vector<std::unique_ptr<net::audit_ring>> owned;
    std::vector<net::audit_ring*> rings;

    explicit desk(std::size_t workers = 1)
    {
        for (std::size_t i = 0; i < workers; ++i) rings.push_back(owned.emplace_back(std::make_unique<net::audit_ring>()).get());
    }
    std::unique_ptr<journal> open(const std::string& path) { return std::make_unique<journal>(path, rings, labels, status); }
};

inline net::audit_record opened(std::uint64_t id)
{
    net::audit_record r;
    r.id = id;
    r.at = std::chrono::system_clock::now();
    r.host = net::bounded_text{"files.pkg-hosting.test"};
    return r;
}

inline process_event event(process_event::what action)
{
    process_event e;
    e.action = action;
    return e;
}

inline void push(net::audit_ring& ring, std::uint64_t id)
{
    while (!ring.push(opened(id))) std::this_thread::yield();
}

inline std::vector<boost::json::object> lines(const std::string& path)
{
    std::vector<boost::json::object> all;
    const auto text = contents(path);
    for (std::size_t from = 0; from < text.size();) {
        const auto end = std::min(text.find('\n', from), text.size());
        all.push_back(boost::json::parse(text.substr(from, end - from)).as_object());
        from = end + 1;
    }
    return all;
}

inline std::string whole(const std::string& path) { return verify_audit(path).problem; }

} // namespace exeat::test
