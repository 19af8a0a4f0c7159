#include <exeat/name_index.hpp>

#include "name_hash.hpp"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <unordered_map>

namespace exeat {

namespace {

constexpr std::size_t record_head = sizeof(std::uint32_t) + 1; // listing, length
static_assert(limits::hostname_octets <= 255);
// Offsets of records have 32 bits.
static_assert(limits::names * (record_head + limits::hostname_octets + 1) < (std::uint64_t{1} << 32));

std::uint32_t number_in(const char* record) noexcept
{
    std::uint32_t n = 0;
    std::memcpy(&n, record, sizeof n);
    return n;
}

std::string_view text_in(const char* record) noexcept
{
    return {record + record_head, static_cast<std::uint8_t>(record[sizeof(std::uint32_t)])};
}

std::size_t dots(std::string_view name) noexcept { return static_cast<std::size_t>(std::count(name.begin(), name.end(), '.')); }

// Calls each(suffix, hash) from the last label up to the whole name.
template <class Each> void walk_suffixes(std::string_view name, std::uint64_t seed, Each&& each) noexcept
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

} // namespace

bool name_index::wanted(std::size_t suffix, std::size_t depth) const noexcept
{
    using enum host_pattern::reach;
    if (suffix == 0) return depths_[static_cast<std::size_t>(exact)][depth];
    if (suffix == 1 && depths_[static_cast<std::size_t>(one_label)][depth]) return true;
    return depths_[static_cast<std::size_t>(any_depth)][depth];
}

std::size_t name_index::find(std::string_view host, hits& found) const noexcept
{
    const std::size_t count = dots(host) + 1;
    if (slots_.empty() || count > labels) return 0; // a hostname never has more labels
    std::size_t depth = 0;
    walk_suffixes(host, seed_, [&](std::size_t from, std::uint32_t hash) {
        ++depth;
        const std::size_t suffix = count - depth;
        found[suffix] = wanted(suffix, depth) ? probe(hash, host.substr(from)) : nullptr;
    });
    return count;
}

const name_index::listing* name_index::probe(std::uint32_t hash, std::string_view base) const noexcept
{
    const slot s = slots_[place_of(hash, base)];
    return s.at == 0 ? nullptr : &listings_[number_in(record(s.at))];
}

std::size_t name_index::place_of(std::uint32_t hash, std::string_view base) const noexcept
{
    // A third of the slots is empty: the walk ends.
    for (std::size_t i = home(hash);; i = i + 1 == slots_.size() ? 0 : i + 1) {
        const slot s = slots_[i];
        if (s.at == 0 || (s.hash == hash && text_in(record(s.at)) == base)) return i;
    }
}

std::size_t name_index::bytes() const noexcept
{
    const std::size_t full = blocks_.empty() ? 0 : (blocks_.size() - 1) * block_bytes + tail_bytes_;
    return full + slots_.capacity() * sizeof(slot) + listings_.capacity() * sizeof(listing) + lists_.capacity() * sizeof(rule_index) +
           blocks_.capacity() * sizeof(blocks_[0]);
}

void name_index_builder::add(rule_index rule, const host_pattern& pattern)
{
    const std::string_view base = pattern.base.str();
    assert(base.size() <= limits::hostname_octets);
    if (3 * (index_.names_ + 1) > 2 * index_.slots_.size()) grow();
    std::uint32_t hash = 0;
    walk_suffixes(base, index_.seed_, [&](std::size_t, std::uint32_t h) { hash = h; });
    auto& slot = index_.slots_[index_.place_of(hash, base)];
    if (slot.at == 0) slot = {hash, append(base)};
    char* const record = index_.record(slot.at);
    const std::uint32_t last = extended(number_in(record), rule, pattern.how);
    std::memcpy(record, &last, sizeof last);
    index_.depths_[static_cast<std::size_t>(pattern.how)].set(dots(base) + 1);
}

// Naming a host twice in one rule changes nothing. All links of one rule lie together when rules are added one after the other.
std::uint32_t name_index_builder::extended(std::uint32_t last, rule_index rule, host_pattern::reach how)
{
    for (auto l = last; l != 0 && links_[l].rule == rule; l = links_[l].before)
        if (links_[l].how == how) return last;
    const auto [known, added] = extensions_.try_emplace({last, rule, how}, static_cast<std::uint32_t>(links_.size()));
    if (added) links_.push_back({last, rule, how});
    return known->second;
}

std::uint32_t name_index_builder::append(std::string_view base)
{
    const std::size_t need = record_head + base.size();
    if (index_.blocks_.empty() || index_.tail_bytes_ + need > name_index::block_bytes) {
        index_.blocks_.push_back(std::make_unique_for_overwrite<char[]>(name_index::block_bytes));
        index_.tail_bytes_ = 0;
    }
    char* const record = index_.blocks_.back().get() + index_.tail_bytes_;
    const std::size_t at = (index_.blocks_.size() - 1) * name_index::block_bytes + index_.tail_bytes_ + 1;
    const std::uint32_t none = 0;
    std::memcpy(record, &none, sizeof none);
    record[sizeof none] = static_cast<char>(base.size());
    std::memcpy(record + record_head, base.data(), base.size());
    index_.tail_bytes_ += need;
    ++index_.names_;
    return static_cast<std::uint32_t>(at);
}

void name_index_builder::grow()
{
    std::vector<name_index::slot> old(std::max<std::size_t>(16, index_.slots_.size() + index_.slots_.size() / 2));
    old.swap(index_.slots_);
    for (const auto& s : old) {
        if (s.at == 0) continue;
        std::size_t i = index_.home(s.hash);
        while (index_.slots_[i].at != 0) i = i + 1 == index_.slots_.size() ? 0 : i + 1;
        index_.slots_[i] = s;
    }
}

std::uint32_t name_index_builder::flatten(std::uint32_t last)
{
    name_index::listing out;
    out.begin = static_cast<std::uint32_t>(index_.lists_.size());
    for (std::size_t how = 0; how < host_reaches; ++how) {
        const auto from = static_cast<std::ptrdiff_t>(index_.lists_.size());
        for (auto l = last; l != 0; l = links_[l].before)
            if (static_cast<std::size_t>(links_[l].how) == how) index_.lists_.push_back(links_[l].rule);
        std::sort(index_.lists_.begin() + from, index_.lists_.end()); // as in the file
        out.end[how] = static_cast<std::uint32_t>(index_.lists_.size());
    }
    index_.listings_.push_back(out);
    return static_cast<std::uint32_t>(index_.listings_.size() - 1);
}

// A handful of names must not hold a whole block.
void name_index_builder::shrink_tail()
{
    if (index_.blocks_.empty()) return;
    auto fitting = std::make_unique_for_overwrite<char[]>(index_.tail_bytes_);
    std::memcpy(fitting.get(), index_.blocks_.back().get(), index_.tail_bytes_);
    index_.blocks_.back() = std::move(fitting);
}

name_index name_index_builder::finish() &&
{
    extensions_.clear();
    std::unordered_map<std::uint32_t, std::uint32_t> listing_of; // last link → listing
    for (const auto& s : index_.slots_) {
        if (s.at == 0) continue;
        char* const record = index_.record(s.at);
        const auto [known, added] = listing_of.try_emplace(number_in(record), 0);
        if (added) known->second = flatten(known->first);
        std::memcpy(record, &known->second, sizeof known->second);
    }
    shrink_tail();
    index_.listings_.shrink_to_fit();
    index_.lists_.shrink_to_fit();
    return std::move(index_);
}

} // namespace exeat
