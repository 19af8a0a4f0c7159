// Which pod has an address now. A pod_index is immutable: workers share it, and a change makes another one that shares all parts with it
// in which nothing changed, so that a change costs the same however many pods there are. An address that two pods claim, or that is a
// node's, has no pod here. Any thread; no lock.
#pragma once

#include <exeat/identity/pod.hpp>
#include <exeat/ip_address.hpp>

#include <array>
#include <boost/unordered/unordered_flat_map.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace exeat {

class pod_index {
public:
    struct change {
        ip_address address;
        std::shared_ptr<const exeat::pod> pod; // null: the address has none any more
    };

    // The seed keys the hash of addresses, so that nobody can choose addresses that collide.
    explicit pod_index(std::uint64_t seed = 0) noexcept : hash_{seed} {}
    // Null: no pod is known by this address. The pointer is valid as long as the index.
    const std::shared_ptr<const pod>* find(const ip_address&) const noexcept;
    pod_index with(std::span<const change>) const; // throws std::bad_alloc
    std::size_t size() const noexcept;

private:
    struct hash {
        std::uint64_t seed = 0;
        std::size_t operator()(const ip_address&) const noexcept;
    };
    using part = boost::unordered_flat_map<ip_address, std::shared_ptr<const pod>, hash>;
    static constexpr std::size_t parts = 256;
    std::size_t part_of(const ip_address& a) const noexcept { return hash_(a) >> 56; }

    hash hash_;
    std::array<std::shared_ptr<const part>, parts> parts_{}; // null: empty
};

// What the workers are told: the pods, and whether their source answers.
enum class pod_source : std::uint8_t {
    current, // an unknown address is no pod's
    away,    // an unknown address may be a new pod's
    stale,   // it has been away for so long that nothing known counts any more
};

struct pod_snapshot {
    pod_index pods;
    pod_source source = pod_source::stale;
};

} // namespace exeat
