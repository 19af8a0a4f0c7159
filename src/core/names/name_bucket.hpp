// The memory layout of one hash bucket: the number of its names, a head for each, then all their texts. Unaligned, so it is read and
// written by memcpy. Private to the name index.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace exeat::name_bucket {

using counted = std::uint16_t;

struct head {
    std::uint32_t listing;
    std::uint8_t tag;    // of the hash, so that the text of another name is rarely compared
    std::uint8_t octets; // of the text
};
inline constexpr std::size_t head_bytes = 6;

inline std::uint8_t tag_of(std::uint32_t hash) noexcept { return static_cast<std::uint8_t>(hash); } // the high bits select the bucket

inline counted count(const char* bucket) noexcept
{
    counted n = 0;
    std::memcpy(&n, bucket, sizeof n);
    return n;
}

inline head read_head(const char* bucket, std::size_t i) noexcept
{
    const char* const from = bucket + sizeof(counted) + i * head_bytes;
    head h{0, static_cast<std::uint8_t>(from[4]), static_cast<std::uint8_t>(from[5])};
    std::memcpy(&h.listing, from, sizeof h.listing);
    return h;
}

inline const char* texts(const char* bucket) noexcept { return bucket + sizeof(counted) + count(bucket) * head_bytes; }

inline void write_count(char* bucket, counted n) noexcept { std::memcpy(bucket, &n, sizeof n); }

inline void write_head(char* bucket, std::size_t i, head h) noexcept
{
    char* const to = bucket + sizeof(counted) + i * head_bytes;
    std::memcpy(to, &h.listing, sizeof h.listing);
    to[4] = static_cast<char>(h.tag);
    to[5] = static_cast<char>(h.octets);
}

} // namespace exeat::name_bucket
