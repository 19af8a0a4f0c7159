// What the fuzzers share: a property that does not hold ends the process, so that libFuzzer keeps the input and says where.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <string_view>

namespace exeat::fuzz {

inline void must(bool holds, const char* property)
{
    if (holds) return;
    std::fprintf(stderr, "a property does not hold: %s\n", property);
    std::abort();
}

inline std::string_view text(const std::uint8_t* data, std::size_t size) { return {reinterpret_cast<const char*>(data), size}; }
inline std::span<const std::byte> octets(std::string_view s) { return std::as_bytes(std::span{s}); }

// Draws that depend on the input alone, so that a finding can be had again (splitmix64).
class draws {
public:
    explicit draws(std::string_view input) noexcept
    {
        for (const char c : input) state_ = (state_ ^ static_cast<unsigned char>(c)) * 0x100000001b3;
    }
    std::size_t below(std::size_t bound) noexcept // bound > 0
    {
        auto z = state_ += 0x9e3779b97f4a7c15;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
        z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
        return static_cast<std::size_t>((z ^ (z >> 31)) % bound);
    }

private:
    std::uint64_t state_ = 0xcbf29ce484222325;
};

// Calls visit(n) for every n below `size`, or for many of them where there are too many.
template <class Visit> void for_cuts(std::size_t size, draws& draw, Visit&& visit)
{
    constexpr std::size_t all = 400, some = 64;
    if (size <= all) {
        for (std::size_t n = 0; n < size; ++n) visit(n);
        return;
    }
    for (std::size_t i = 0; i < some; ++i) visit(draw.below(size));
    for (std::size_t n = size - some; n < size; ++n) visit(n);
}

} // namespace exeat::fuzz
