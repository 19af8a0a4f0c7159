// What detectors keep their state by. Hashes are keyed, so that nobody outside can choose keys that collide. Values.
#pragma once

#include <exeat/ip_address.hpp>

#include <cstdint>
#include <string_view>

namespace exeat::detect {

struct client_key {
    ip_address client;
    std::uint64_t what = 0; // an entry's id, or the hash of a host; 0: the client alone
    bool operator==(const client_key&) const = default;
};

struct client_key_hash {
    std::uint64_t seed = 0;
    std::size_t operator()(const client_key&) const noexcept;
};

std::uint64_t hash_of(std::string_view text, std::uint64_t seed) noexcept;

} // namespace exeat::detect
