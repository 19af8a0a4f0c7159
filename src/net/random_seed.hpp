// A secret for the keyed hashes of tables whose keys outsiders choose. Comes from the system's random source; slow, so draw it once. Any
// thread.
#pragma once

#include <cstdint>
#include <random>

namespace exeat::net {

inline std::uint64_t random_seed()
{
    std::random_device source;
    return std::uint64_t{source()} << 32 | source();
}

} // namespace exeat::net
