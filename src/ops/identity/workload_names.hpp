// What the key of a workload stands for, for people: kept for pods that are known and, because logs and pages name them later, for the last
// limits::pods_gone that were, never one that is there. After a restart a key in a snapshot may be of a pod that nobody remembers. Any
// thread; one lock.
#pragma once

#include <exeat/identity/pod_index.hpp>
#include <exeat/ip_address.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <unordered_map>

namespace exeat::ops {

class workload_names {
public:
    struct workload {
        std::shared_ptr<const exeat::pod> pod; // of an identity: one of its pods
        bool of_identity = false;
    };

    // Call before the workers get these changes, so that every key that they use has a name.
    void learn(std::span<const pod_index::change>);
    // Null pod: not a workload, or not known any more.
    workload find(const ip_address& key) const;

    // A client::key or pod::identity as text: "10.42.3.7", "2001:db8::/64", "pod training/trainer-0 (10.42.3.7)", "service account
    // training/trainer".
    std::string text(const ip_address& key, std::uint8_t v6_bits) const;
    // The address of a client for readers that expect one; of a workload, the first address of its pod. All zero: not known.
    ip_address address(const ip_address& key) const;
    // The key of the client that has this address now, or had it last: of a pod its instance, otherwise the address.
    ip_address client_at(const ip_address& address) const;

private:
    struct hash {
        std::size_t operator()(const ip_address&) const noexcept;
    };
    struct entry {
        workload who;
        std::size_t addresses = 0; // that it has now; none: it is gone
        std::uint64_t left = 0;    // when it lost its last one, as a number in gone_
    };
    struct holder {
        std::shared_ptr<const exeat::pod> pod; // that has the address, or had it last
        bool now = false;
    };
    void gain(const ip_address& key, workload);
    void lose(const ip_address& key);
    void forget_oldest();

    mutable std::mutex lock_;
    std::unordered_map<ip_address, entry, hash> known_;
    std::unordered_map<ip_address, holder, hash> at_; // by address
    std::map<std::uint64_t, ip_address> gone_;        // those without an address, by when they lost it
    std::uint64_t losses_ = 0;
};

} // namespace exeat::ops
