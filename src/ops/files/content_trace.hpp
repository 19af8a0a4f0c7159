// A trace of a file's content that shows whether a later content is only the beginning of it: the first octets, and after them a hash of
// everything up to the end of each block. Value; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace exeat::ops {

class content_trace {
public:
    static constexpr std::size_t head_octets = 64 * 1024, block_octets = 4 * 1024;

    void take(std::string_view more);
    std::uint64_t octets() const noexcept { return octets_; }
    // Whether this content is shorter and the other one begins with it. After the head, octets after the last whole block are not compared.
    bool begins(const content_trace& longer) const noexcept;
    bool operator==(const content_trace&) const = default;

private:
    void hash(std::string_view more);

    std::string head_;
    std::vector<std::uint64_t> blocks_;                    // after the head
    std::uint64_t octets_ = 0, hash_ = 0xcbf29ce484222325; // FNV-1a
};

} // namespace exeat::ops
