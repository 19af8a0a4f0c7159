#include <exeat/detect/keys.hpp>

#include <core/names/name_hash.hpp>

#include <cstring>

namespace exeat::detect {

std::size_t client_key_hash::operator()(const client_key& k) const noexcept
{
    char bytes[sizeof k.client.octets + sizeof k.what];
    std::memcpy(bytes, k.client.octets.data(), sizeof k.client.octets);
    std::memcpy(bytes + sizeof k.client.octets, &k.what, sizeof k.what);
    return hash_of({bytes, sizeof bytes}, seed);
}

std::uint64_t hash_of(std::string_view text, std::uint64_t seed) noexcept
{
    name_hash h{seed};
    h.absorb(text);
    return h.whole();
}

} // namespace exeat::detect
