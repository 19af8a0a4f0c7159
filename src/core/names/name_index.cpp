#include <exeat/names/name_index.hpp>

#include "name_bucket.hpp"
#include "name_hash.hpp"

namespace exeat {

bool name_index::wanted(std::size_t suffix, std::size_t depth) const noexcept
{
    using enum host_pattern::reach;
    if (suffix == 0) return depths_[static_cast<std::size_t>(exact)][depth];
    if (suffix == 1 && depths_[static_cast<std::size_t>(one_label)][depth]) return true;
    return depths_[static_cast<std::size_t>(any_depth)][depth];
}

std::size_t name_index::find(std::string_view host, hits& found) const noexcept
{
    const std::size_t count = labels_in(host);
    if (names_ == 0 || count > labels) return 0; // a hostname never has more labels
    std::size_t depth = 0;
    each_suffix(host, seed_, [&](std::size_t from, std::uint32_t hash) {
        ++depth;
        const std::size_t suffix = count - depth;
        found[suffix] = wanted(suffix, depth) ? probe(hash, host.substr(from)) : nullptr;
    });
    return count;
}

const name_index::listing* name_index::probe(std::uint32_t hash, std::string_view base) const noexcept
{
    const std::uint32_t at = directory_[bucket_of(hash)];
    if (at == 0) return nullptr;
    const char* const bucket = blocks_[(at - 1) >> block_bits].get() + ((at - 1) & (block_bytes - 1));
    for (std::size_t line = 64; line < 256; line += 64)
        __builtin_prefetch(bucket + line); // one wait for memory instead of one for the heads and one for the text
    const char* text = name_bucket::texts(bucket);
    for (std::size_t i = 0, n = name_bucket::count(bucket); i < n; ++i) {
        const auto head = name_bucket::read_head(bucket, i);
        if (head.tag == name_bucket::tag_of(hash) && std::string_view{text, head.octets} == base) return &listings_[head.listing];
        text += head.octets;
    }
    return nullptr;
}

name_index::reaches name_index::reaches_of(const listing& l) const noexcept
{
    reaches out;
    for (std::size_t i = 0; i < host_reaches; ++i) out[i] = !list(l, static_cast<host_pattern::reach>(i)).empty();
    return out;
}

void name_index::each_base(auto&& visit) const
{
    for (const auto at : directory_) {
        if (at == 0) continue;
        const char* const bucket = blocks_[(at - 1) >> block_bits].get() + ((at - 1) & (block_bytes - 1));
        const char* text = name_bucket::texts(bucket);
        for (std::size_t i = 0, n = name_bucket::count(bucket); i < n; ++i) {
            const auto head = name_bucket::read_head(bucket, i);
            visit(std::string_view{text, head.octets}, listings_[head.listing]);
            text += head.octets;
        }
    }
}

void name_index::each(const std::function<void(std::string_view base, reaches)>& visit) const
{
    each_base([&](std::string_view base, const listing& l) { visit(base, reaches_of(l)); });
}

void name_index::each_naming(
    const std::function<void(std::string_view base, host_pattern::reach, std::span<const rule_index>)>& visit) const
{
    each_base([&](std::string_view base, const listing& l) {
        for (std::size_t i = 0; i < host_reaches; ++i) {
            const auto how = static_cast<host_pattern::reach>(i);
            if (const auto rules = list(l, how); !rules.empty()) visit(base, how, rules);
        }
    });
}

name_index::reaches name_index::named(std::string_view base) const noexcept
{
    if (names_ == 0 || base.size() > limits::hostname_octets) return {};
    std::uint32_t whole = 0;
    each_suffix(base, seed_, [&](std::size_t, std::uint32_t hash) { whole = hash; });
    const auto* l = probe(whole, base);
    return l == nullptr ? reaches{} : reaches_of(*l);
}

std::size_t name_index::bytes() const noexcept
{
    return held_bytes_ + directory_.capacity() * sizeof(directory_[0]) + listings_.capacity() * sizeof(listing) +
           lists_.capacity() * sizeof(rule_index) + blocks_.capacity() * sizeof(blocks_[0]);
}

} // namespace exeat
