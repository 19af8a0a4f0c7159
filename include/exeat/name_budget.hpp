// How many different names one client has used under the wildcards of one entry. Under "*.w.example" every new label is bits that the
// look-up carries to whoever answers for w.example (a DNS tunnel through an allowed wildcard); so the labels are counted before they are
// looked up, and beyond rule::wildcard_names the verdict is name_budget. A name that was used before costs nothing.
//
// Shared by all workers, without a lock: two open-addressed tables of atomic words, bounded, in windows of limits::name_window that begin
// where the process did. When a table has no room for a new name, the name is denied. Tags are keyed hashes; two names share one with a
// probability of 2^-42 or less for each comparison, and then count as one.
#pragma once

#include <exeat/ip_address.hpp>
#include <exeat/limits.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string_view>
#include <vector>

namespace exeat {

class name_budget {
public:
    // `began`: the steady time of the first window's begin. The seed keys the hashes, so that tags cannot be crafted to collide.
    name_budget(std::uint64_t seed, std::chrono::seconds began);

    // Whether the client may use the name (canonical text) under the entry's wildcards, of which it may use `most`. Any thread.
    bool take(const ip_address& client, std::uint32_t rule_slot, std::string_view name, std::uint32_t most,
              std::chrono::seconds steady_now) noexcept;

private:
    using cell = std::atomic<std::uint64_t>;
    enum class place : std::uint8_t { known, added, full };

    bool remembers(std::uint64_t tagged) const noexcept;
    place remember(std::uint64_t tagged, std::uint64_t window) noexcept;
    cell* count_of(std::uint64_t key, std::uint64_t window) noexcept;

    const std::uint64_t seed_;
    const std::chrono::seconds began_;
    std::vector<cell> names_;  // window in the upper 16 bits, tag below; 0: never used
    std::vector<cell> counts_; // window in the upper 16 bits, tag in the middle 32, count in the lower 16
};

} // namespace exeat
