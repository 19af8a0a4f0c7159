#include <exeat/names/name_index.hpp>

#include "name_bucket.hpp"
#include "name_hash.hpp"

#include <algorithm>
#include <array>
#include <cassert>
#include <cstring>
#include <tuple>

namespace exeat {

namespace {

constexpr std::size_t names_per_bucket = 8; // on average: one or two cache lines of heads, one of text
constexpr std::size_t raw_head_bytes = sizeof(std::uint32_t) + sizeof(rule_index) + 2;

static_assert(limits::hostname_octets <= UINT8_MAX);
// Block and offset share 32 bits, and at most half of a block is unused at its end.
static_assert(limits::names * (name_bucket::head_bytes + sizeof(name_bucket::counted) + limits::hostname_octets) <
              (std::uint64_t{1} << 31));

// The pattern of that base that too many rules name; empty: none.
std::string crowded(const std::vector<std::pair<host_pattern::reach, rule_index>>& rules, std::string_view base)
{
    constexpr std::array<std::string_view, host_reaches> wildcards{"", "*.", "**."};
    for (std::size_t how = 0; how < host_reaches; ++how)
        if (std::cmp_greater(
                std::ranges::count(rules, static_cast<host_pattern::reach>(how), &std::pair<host_pattern::reach, rule_index>::first),
                limits::entries_of_host))
            return std::string{wildcards[how]}.append(base);
    return {};
}

} // namespace

void name_index_builder::add(rule_index rule, const host_pattern& pattern)
{
    const std::string_view base = pattern.base.str();
    assert(base.size() <= limits::hostname_octets);
    std::uint32_t hash = 0;
    each_suffix(base, index_.seed_, [&](std::size_t, std::uint32_t h) { hash = h; });
    auto& p = parts_[hash >> 24];
    const std::size_t need = raw_head_bytes + base.size();
    if (p.blocks.empty() || p.used.back() + need > name_index::block_bytes) {
        p.blocks.push_back(std::make_unique_for_overwrite<char[]>(name_index::block_bytes));
        p.used.push_back(0);
    }
    char* const to = p.blocks.back().get() + p.used.back();
    std::memcpy(to, &hash, sizeof hash);
    std::memcpy(to + 4, &rule, sizeof rule);
    to[8] = static_cast<char>(pattern.how);
    to[9] = static_cast<char>(base.size());
    std::memcpy(to + raw_head_bytes, base.data(), base.size());
    p.used.back() += need;
    ++added_;
    index_.depths_[static_cast<std::size_t>(pattern.how)].set(labels_in(base));
}

std::vector<name_index_builder::naming> name_index_builder::sorted(const part& p)
{
    std::vector<naming> all;
    for (std::size_t b = 0; b < p.blocks.size(); ++b) {
        for (const char *from = p.blocks[b].get(), *end = from + p.used[b]; from != end;) {
            naming n{0, 0, static_cast<host_pattern::reach>(from[8]), {from + raw_head_bytes, static_cast<std::uint8_t>(from[9])}};
            std::memcpy(&n.hash, from, sizeof n.hash);
            std::memcpy(&n.rule, from + 4, sizeof n.rule);
            all.push_back(n);
            from += raw_head_bytes + n.base.size();
        }
    }
    std::sort(all.begin(), all.end(), [](const naming& a, const naming& b) {
        return std::tie(a.hash, a.base, a.how, a.rule) < std::tie(b.hash, b.base, b.how, b.rule);
    });
    return all;
}

// One name for each base, with all the rules that name it.
std::vector<name_index_builder::numbered> name_index_builder::merged(const std::vector<naming>& all)
{
    std::vector<numbered> out;
    for (auto first = all.begin(); first != all.end();) {
        rules_of_name rules;
        auto next = first;
        for (; next != all.end() && next->base == first->base; ++next)
            if (rules.empty() || rules.back() != std::pair{next->how, next->rule}) rules.emplace_back(next->how, next->rule);
        if (rules.size() > limits::entries_of_host && index_.crowded_.empty()) index_.crowded_ = crowded(rules, first->base);
        out.push_back({first->hash, listing_of(std::move(rules)), first->base});
        first = next;
    }
    return out;
}

std::uint32_t name_index_builder::listing_of(rules_of_name&& rules)
{
    if (rules == last_listing_.first) return last_listing_.second;
    const auto [known, added] = listings_.try_emplace(rules, static_cast<std::uint32_t>(index_.listings_.size()));
    last_listing_ = {std::move(rules), known->second};
    if (!added) return known->second;
    name_index::listing l;
    l.begin = static_cast<std::uint32_t>(index_.lists_.size());
    auto at = known->first.begin();
    for (std::size_t how = 0; how < host_reaches; ++how) {
        for (; at != known->first.end() && static_cast<std::size_t>(at->first) == how; ++at) index_.lists_.push_back(at->second);
        l.end[how] = static_cast<std::uint32_t>(index_.lists_.size());
    }
    index_.listings_.push_back(l);
    return known->second;
}

void name_index_builder::write(const std::vector<numbered>& names)
{
    for (std::size_t first = 0, next = 0; first < names.size(); first = next) {
        const auto bucket = index_.bucket_of(names[first].hash);
        while (next < names.size() && index_.bucket_of(names[next].hash) == bucket) ++next;
        write_bucket({names.data() + first, next - first});
    }
    index_.names_ += names.size();
}

void name_index_builder::write_bucket(std::span<const numbered> names)
{
    assert(names.size() <= UINT16_MAX);
    std::size_t bytes = sizeof(name_bucket::counted) + names.size() * name_bucket::head_bytes;
    for (const auto& n : names) bytes += n.base.size();
    char* const bucket = room_for(bytes);
    const auto offset = static_cast<std::size_t>(bucket - index_.blocks_.back().get());
    index_.directory_[index_.bucket_of(names[0].hash)] =
        static_cast<std::uint32_t>(((index_.blocks_.size() - 1) << name_index::block_bits) + offset + 1);
    name_bucket::write_count(bucket, static_cast<name_bucket::counted>(names.size()));
    char* text = bucket + sizeof(name_bucket::counted) + names.size() * name_bucket::head_bytes;
    for (std::size_t i = 0; i < names.size(); ++i) {
        const auto& n = names[i];
        name_bucket::write_head(bucket, i, {n.listing, name_bucket::tag_of(n.hash), static_cast<std::uint8_t>(n.base.size())});
        std::memcpy(text, n.base.data(), n.base.size());
        text += n.base.size();
    }
}

// Space in the last block, or in a new one: of the usual size, or larger for a bucket that does not fit (only its start needs an address).
char* name_index_builder::room_for(std::size_t bytes)
{
    if (index_.blocks_.empty() || tail_ + bytes > name_index::block_bytes) {
        const auto size = std::max(bytes, name_index::block_bytes);
        index_.blocks_.push_back(std::make_unique_for_overwrite<char[]>(size));
        index_.held_bytes_ += size;
        tail_ = 0;
    }
    char* const room = index_.blocks_.back().get() + tail_;
    tail_ += bytes;
    return room;
}

// A few names must not occupy a whole block.
void name_index_builder::shrink_last()
{
    if (index_.blocks_.empty() || tail_ >= name_index::block_bytes) return;
    auto fitting = std::make_unique_for_overwrite<char[]>(tail_);
    std::memcpy(fitting.get(), index_.blocks_.back().get(), tail_);
    index_.blocks_.back() = std::move(fitting);
    index_.held_bytes_ -= name_index::block_bytes - tail_;
}

name_index name_index_builder::finish() &&
{
    // A multiple of the number of parts, so that no bucket belongs to two of them.
    index_.directory_.resize(parts * ((added_ / names_per_bucket + parts - 1) / parts));
    if (index_.directory_.empty()) index_.directory_.resize(parts);
    for (auto& p : parts_) {
        write(merged(sorted(p)));
        p = {};
    }
    shrink_last();
    index_.blocks_.shrink_to_fit();
    index_.listings_.shrink_to_fit();
    index_.lists_.shrink_to_fit();
    return std::move(index_);
}

} // namespace exeat
