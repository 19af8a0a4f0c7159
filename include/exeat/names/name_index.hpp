// Maps host patterns to the rules that name them: the compact index of a million-name allowlist. Built once, then immutable and read from
// any thread; match() allocates nothing. A base name is stored once, with one rule list for each reach; about 30 bytes for a name of 22
// octets. Names of one hash bucket are adjacent, so that a look-up waits for memory once. The hash is computed from the last label to the
// first, so that one pass over a hostname yields the hash of each suffix.
#pragma once

#include <exeat/hostname.hpp>
#include <exeat/limits.hpp>

#include <array>
#include <bitset>
#include <boost/system/result.hpp>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace exeat {

// "a.b.c" exactly, "*.b.c" one label, "**.b.c" any depth; neither wildcard matches the apex.
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

    // Visits the rule lists that match, the most specific pattern first: exact, one label, then any depth from the longest base to the
    // shortest.
    // Calls visit(std::span<const rule_index>, host_pattern::reach) for each until it returns false. `host` is canonical text
    // (hostname::str).
    template <class Visit> void match(std::string_view host, Visit&& visit) const
    {
        using enum host_pattern::reach;
        hits found; // not initialised: find() sets the elements that it counts
        const std::size_t suffixes = find(host, found);
        if (suffixes > 0 && !offer(found[0], exact, visit)) return;
        if (suffixes > 1 && !offer(found[1], one_label, visit)) return;
        for (std::size_t i = 1; i < suffixes; ++i)
            if (!offer(found[i], any_depth, visit)) return;
    }

    // Visits every base once, with the reaches by which rules name it, in no particular order.
    using reaches = std::bitset<host_reaches>;
    void each(const std::function<void(std::string_view base, reaches)>& visit) const;
    // Visits every base and reach with the rules that name the base by that reach.
    void each_naming(const std::function<void(std::string_view base, host_pattern::reach, std::span<const rule_index>)>& visit) const;
    // The reaches by which rules name exactly this base.
    reaches named(std::string_view base) const noexcept;

    // A pattern that more rules name than limits::entries_of_host; empty: none.
    const std::string& crowded() const noexcept { return crowded_; }
    std::size_t names() const noexcept { return names_; } // distinct bases
    std::size_t bytes() const noexcept;                   // of memory used

private:
    friend class name_index_builder;

    static constexpr std::size_t labels = (limits::hostname_octets + 1) / 2; // in a hostname, at most
    static constexpr std::size_t block_bits = 13;                            // buckets begin in blocks of 8 KiB
    static constexpr std::size_t block_bytes = std::size_t{1} << block_bits;

    struct listing { // the positions in lists_ of a base's three rule lists
        std::uint32_t begin = 0;
        std::array<std::uint32_t, host_reaches> end{};
    };
    using hits = std::array<const listing*, labels>; // by suffix: the whole name, its parent, …

    std::size_t find(std::string_view host, hits& found) const noexcept;
    void each_base(auto&& visit) const;
    reaches reaches_of(const listing&) const noexcept;
    const listing* probe(std::uint32_t hash, std::string_view base) const noexcept;
    bool wanted(std::size_t suffix, std::size_t depth) const noexcept;
    // Buckets are in the order of the hashes.
    std::size_t bucket_of(std::uint32_t hash) const noexcept
    {
        return static_cast<std::size_t>((std::uint64_t{hash} * directory_.size()) >> 32);
    }

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
        return rules.empty() || visit(rules, how);
    }

    std::uint64_t seed_ = 0;
    std::vector<std::uint32_t> directory_;        // of buckets: block and offset, from 1; 0: an empty bucket
    std::vector<std::unique_ptr<char[]>> blocks_; // of buckets: a head for each name, then all their texts
    std::size_t held_bytes_ = 0;                  // in blocks_
    std::vector<listing> listings_;
    std::vector<rule_index> lists_;
    std::array<std::bitset<labels + 1>, host_reaches> depths_; // numbers of labels of each reach's bases; other suffixes need no search
    std::size_t names_ = 0;
    std::string crowded_;
};

// Builds an index name by name. The seed keys the hash, so that names cannot be crafted to collide in one bucket (a list may come from
// third parties, and long buckets are slow to build and to search). Core draws no random numbers; the caller passes one in. One thread.
// Names are first assigned to parts by their hash; finish() sorts part after part and frees each, so that hardly any name exists twice.
class name_index_builder {
public:
    explicit name_index_builder(std::uint64_t seed = 0) noexcept { index_.seed_ = seed; }
    void add(rule_index, const host_pattern&);
    name_index finish() &&;

private:
    static constexpr std::size_t parts = 256;
    struct part {
        std::vector<std::unique_ptr<char[]>> blocks; // as large as the index's blocks, so that those can reuse the freed memory
        std::vector<std::size_t> used;               // bytes of each
    };
    struct naming { // one name in one rule, as it was added
        std::uint32_t hash;
        rule_index rule;
        host_pattern::reach how;
        std::string_view base; // into a part's block
    };
    using rules_of_name = std::vector<std::pair<host_pattern::reach, rule_index>>; // ascending, no duplicates
    struct numbered {
        std::uint32_t hash;
        std::uint32_t listing;
        std::string_view base;
    };

    static std::vector<naming> sorted(const part&);
    std::vector<numbered> merged(const std::vector<naming>&);
    std::uint32_t listing_of(rules_of_name&&);
    void write(const std::vector<numbered>&);
    void write_bucket(std::span<const numbered>);
    char* room_for(std::size_t bytes);
    void shrink_last();

    name_index index_;
    std::array<part, parts> parts_;
    std::size_t added_ = 0;
    std::size_t tail_ = 0; // bytes used in the index's last block
    std::map<rules_of_name, std::uint32_t> listings_;
    std::pair<rules_of_name, std::uint32_t> last_listing_; // most names have the same listing as the name before
};

} // namespace exeat
