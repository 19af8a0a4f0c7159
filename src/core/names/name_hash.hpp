// A keyed hash of names, computed from the last label to the first: absorbing one more label gives the hash of the longer suffix. 64 × 64 →
// 128 bit multiplication, folded, eight octets a step. Private to core.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace exeat {

class name_hash {
public:
    explicit name_hash(std::uint64_t seed) noexcept : state_{spread(seed)}, key_{spread(seed + 1) | 1} {}

    void absorb(std::string_view label) noexcept
    {
        const std::size_t whole = label.size() & ~std::size_t{7};
        for (std::size_t i = 0; i < whole; i += 8) step(word(label.data() + i, 8));
        // at most seven octets are left, so the eighth contains the length
        step(word(label.data() + whole, label.size() - whole) | std::uint64_t{label.size()} << 56);
    }
    std::uint64_t whole() const noexcept { return state_; }
    std::uint32_t value() const noexcept { return static_cast<std::uint32_t>(state_ >> 32); }

private:
    static std::uint64_t word(const char* from, std::size_t octets) noexcept
    {
        std::uint64_t w = 0;
        std::memcpy(&w, from, octets);
        return w;
    }
    static std::uint64_t spread(std::uint64_t x) noexcept // splitmix64
    {
        x += 0x9e3779b97f4a7c15;
        x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
        x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
        return x ^ (x >> 31);
    }
    void step(std::uint64_t w) noexcept
    {
        __extension__ using wide = unsigned __int128;
        const wide product = static_cast<wide>(state_ ^ w) * key_;
        state_ = static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
    }

    std::uint64_t state_;
    std::uint64_t key_;
};

// Calls each(from, hash) for every suffix of the name that begins at a label, from the last label to the whole name.
template <class Each> void each_suffix(std::string_view name, std::uint64_t seed, Each&& each) noexcept
{
    name_hash hash{seed};
    for (std::size_t end = name.size();;) {
        const std::size_t dot = end == 0 ? std::string_view::npos : name.rfind('.', end - 1);
        const std::size_t from = dot == std::string_view::npos ? 0 : dot + 1;
        hash.absorb(name.substr(from, end - from));
        each(from, hash.value());
        if (from == 0) return;
        end = dot;
    }
}

inline std::size_t labels_in(std::string_view name) noexcept
{
    return 1 + static_cast<std::size_t>(std::count(name.begin(), name.end(), '.'));
}

} // namespace exeat
