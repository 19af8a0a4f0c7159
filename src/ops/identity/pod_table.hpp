// All pods that are known, and which of them has an address. Two pods that claim one address both lose it there: who dials from it cannot
// be known. One thread.
#pragma once

#include <exeat/identity/pod_index.hpp>
#include <ops/identity/pod_json.hpp>

#include <cstddef>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace exeat::ops {

class pod_table {
public:
    // Only addresses in these networks count.
    explicit pod_table(std::vector<ip_prefix> networks) : networks_{std::move(networks)} {}

    void put(const pod_report&);
    void remove(std::string_view uid);
    // These are all pods.
    void replace(const std::vector<pod_report>&);

    // What has changed since the last call.
    std::vector<pod_index::change> take_changes();
    std::size_t size() const noexcept { return pods_.size(); }           // pods with an address in the networks
    std::size_t contested() const noexcept { return contested_.size(); } // addresses that several pods claim

private:
    using shared_pod = std::shared_ptr<const exeat::pod>;
    struct address_hash {
        std::size_t operator()(const ip_address&) const noexcept;
    };
    bool counts(const ip_address&) const noexcept;
    void claim(const shared_pod&);
    void release(const shared_pod&);

    const std::vector<ip_prefix> networks_;
    std::unordered_map<std::string, shared_pod> pods_;                             // by UID
    std::unordered_map<ip_address, std::vector<shared_pod>, address_hash> claims_; // of each address
    std::unordered_map<ip_address, shared_pod, address_hash> told_;                // as of the last take_changes()
    std::set<ip_address> touched_, contested_;
};

} // namespace exeat::ops
