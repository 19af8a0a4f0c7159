// The keys of the detectors' state. Hashes are keyed, so that an outsider cannot choose keys that collide. Values.
#pragma once

#include <exeat/budget/heirs.hpp>
#include <exeat/ip_address.hpp>

#include <cstdint>
#include <string_view>
#include <vector>

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

// The keys that inherit the state of a client at an entry.
class entry_heirs {
public:
    explicit entry_heirs(const heirs_of<std::uint64_t>& all) : all_{all} {}
    std::vector<client_key> operator()(const client_key& k) const
    {
        std::vector<client_key> out;
        all_.each(k.what, k.client, [&](std::uint64_t to) { out.push_back({k.client, to}); });
        return out;
    }

private:
    const heirs_of<std::uint64_t>& all_;
};

std::uint64_t hash_of(std::string_view text, std::uint64_t seed) noexcept;

} // namespace exeat::detect
