// Host patterns to the rules that name them: the compact block behind a million-name allowlist. Built once, then immutable and
// read from any thread; match() allocates nothing. A base name is kept once, with one rule list for each reach; about 40 bytes for a
// name of 22 octets. The hash runs from the last label to the first, so that one pass over a hostname yields that of each suffix.
#pragma once

#include <exeat/hostname.hpp>
#include <exeat/limits.hpp>

#include <array>
#include <bitset>
#include <boost/system/result.hpp>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

namespace exeat {

// "a.b.c" exactly, "*.b.c" one label, "**.b.c" any depth; neither wildcard takes the apex.
struct host_pattern {
    enum class reach : std::uint8_t { exact, one_label, any_depth };
    reach how = reach::exact;
    hostname base; // without the wildcard

    // host_syntax for anything else: another glob, a wildcard above nothing, above a single label ("*.com") or above an address.
    static boost::system::result<host_pattern, verdict> parse(std::string_view text);
    std::string to_string() const;
    bool operator==(const host_pattern&) const = default;
};
inline constexpr std::size_t host_reaches = 3;

using rule_index = std::uint32_t; // into policy::rules()

class name_index {
public:
    name_index() = default;

    // Rule lists that match, the most specific pattern first: exact, one label, then any depth from the longest base up.
    // Calls visit(std::span<const rule_index>) for each until it returns false. `host` is canonical text (hostname::str).
    template <class Visit> void match(std::string_view host, Visit&& visit) const
    {
        using enum host_pattern::reach;
        hits found; // left unset: find() fills what it counts
        const std::size_t suffixes = find(host, found);
        if (suffixes > 0 && !offer(found[0], exact, visit)) return;
        if (suffixes > 1 && !offer(found[1], one_label, visit)) return;
        for (std::size_t i = 1; i < suffixes; ++i)
            if (!offer(found[i], any_depth, visit)) return;
    }

    std::size_t names() const noexcept { return names_; } // distinct bases
    std::size_t bytes() const noexcept;                   // of memory held

private:
    friend class name_index_builder;

    static constexpr std::size_t labels = (limits::hostname_octets + 1) / 2; // of a hostname, at most
    static constexpr std::size_t block_bits = 18;                            // names lie in blocks of 256 KiB
    static constexpr std::size_t block_bytes = std::size_t{1} << block_bits;

    struct slot {               // of the open-addressed table
        std::uint32_t hash = 0; // its place in the table is hash / 2^32 of the way in: growing needs no text
        std::uint32_t at = 0;   // of the record, from 1; 0: empty
    };
    struct listing { // ends within lists_ of its three rule lists
        std::uint32_t begin = 0;
        std::array<std::uint32_t, host_reaches> end{};
    };
    using hits = std::array<const listing*, labels>; // by suffix: the whole name, its parent, …

    std::size_t find(std::string_view host, hits& found) const noexcept;
    const listing* probe(std::uint32_t hash, std::string_view base) const noexcept;
    // The slot that holds `base`, or the empty one where it belongs.
    std::size_t place_of(std::uint32_t hash, std::string_view base) const noexcept;
    std::size_t home(std::uint32_t hash) const noexcept { return static_cast<std::size_t>((std::uint64_t{hash} * slots_.size()) >> 32); }
    char* record(std::uint32_t at) const noexcept { return blocks_[(at - 1) >> block_bits].get() + ((at - 1) & (block_bytes - 1)); }
    bool wanted(std::size_t suffix, std::size_t depth) const noexcept;

    std::span<const rule_index> list(const listing& l, host_pattern::reach how) const noexcept
    {
        const auto i = static_cast<std::size_t>(how);
        const auto from = i == 0 ? l.begin : l.end[i - 1];
        return {lists_.data() + from, lists_.data() + l.end[i]};
    }
    template <class Visit> bool offer(const listing* l, host_pattern::reach how, Visit& visit) const
    {
        if (l == nullptr) return true;
        const auto rules = list(*l, how);
        return rules.empty() || visit(rules);
    }

    std::uint64_t seed_ = 0;
    std::vector<slot> slots_;
    std::vector<std::unique_ptr<char[]>> blocks_; // records: listing (4 octets), length (1), text; none crosses a block
    std::size_t tail_bytes_ = 0;                  // used of the last block
    std::vector<listing> listings_;
    std::vector<rule_index> lists_;
    std::array<std::bitset<labels + 1>, host_reaches> depths_; // how many labels the bases of each reach have: what need not be sought
    std::size_t names_ = 0;
};

// Puts an index together name by name. The seed keys the hash: names can then not be crafted to collide (a list may come from others, and a
// build over colliding names takes quadratic time). Core draws no random numbers; the caller hands one in. One thread.
class name_index_builder {
public:
    explicit name_index_builder(std::uint64_t seed = 0) noexcept { index_.seed_ = seed; }
    void add(rule_index, const host_pattern&);
    name_index finish() &&;

private:
    // Rule lists grow by links, shared between names: a name has the number of its last link.
    struct link {
        std::uint32_t before; // 0: none
        rule_index rule;
        host_pattern::reach how;
    };
    std::uint32_t extended(std::uint32_t last, rule_index, host_pattern::reach);
    std::uint32_t append(std::string_view base);
    void grow();
    void shrink_tail();
    std::uint32_t flatten(std::uint32_t last);

    name_index index_;
    std::vector<link> links_{link{}};
    std::map<std::tuple<std::uint32_t, rule_index, host_pattern::reach>, std::uint32_t> extensions_;
};

} // namespace exeat
