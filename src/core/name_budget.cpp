#include <exeat/name_budget.hpp>

#include "name_hash.hpp"

#include <cstring>

namespace exeat {

namespace {

constexpr unsigned window_shift = 48, tag_shift = 16;
constexpr std::uint64_t tag_mask = (std::uint64_t{1} << window_shift) - 1, count_mask = (std::uint64_t{1} << tag_shift) - 1;
static_assert(limits::wildcard_names_ceiling < count_mask);

constexpr std::uint64_t window_of(std::uint64_t cell) noexcept { return cell >> window_shift; }

name_hash hash_of(std::uint64_t seed, const ip_address& client, std::uint32_t rule_slot) noexcept
{
    char key[sizeof client.octets + sizeof rule_slot];
    std::memcpy(key, client.octets.data(), sizeof client.octets);
    std::memcpy(key + sizeof client.octets, &rule_slot, sizeof rule_slot);
    name_hash h{seed};
    h.absorb({key, sizeof key});
    return h;
}

} // namespace

name_budget::name_budget(std::uint64_t seed, std::chrono::seconds began)
    : seed_{seed}, began_{began}, names_(limits::name_budget_names), counts_(limits::name_budget_counts)
{}

bool name_budget::take(const ip_address& client, std::uint32_t rule_slot, std::string_view name, std::uint32_t most,
                       std::chrono::seconds steady_now) noexcept
{
    const auto window = static_cast<std::uint64_t>((steady_now - began_) / limits::name_window) + 1;
    auto hash = hash_of(seed_, client, rule_slot);
    const auto key = hash.whole();
    hash.absorb(name);
    const auto tagged = (window << window_shift) | (hash.whole() & tag_mask);
    if (remembers(tagged)) return true;

    cell* const count = count_of(key, window);
    if (count == nullptr) return false;
    for (auto seen = count->load(std::memory_order_relaxed);;) {
        if ((seen & count_mask) >= most) return false;
        if (count->compare_exchange_weak(seen, seen + 1, std::memory_order_relaxed)) break;
    }
    const auto put = remember(tagged, window);
    if (put != place::added) count->fetch_sub(1, std::memory_order_relaxed);
    return put != place::full;
}

bool name_budget::remembers(std::uint64_t tagged) const noexcept
{
    for (std::size_t i = 0; i < limits::name_budget_probes; ++i) {
        const auto seen = names_[(tagged + i) % names_.size()].load(std::memory_order_relaxed);
        if (seen == tagged) return true;
        if (window_of(seen) < window_of(tagged)) return false; // free: it would have been put here
    }
    return false;
}

// Cells of older windows are free; those of a newer one belong to a worker whose clock was read a moment later.
name_budget::place name_budget::remember(std::uint64_t tagged, std::uint64_t window) noexcept
{
    for (std::size_t i = 0; i < limits::name_budget_probes; ++i) {
        cell& c = names_[(tagged + i) % names_.size()];
        auto seen = c.load(std::memory_order_relaxed);
        while (window_of(seen) < window)
            if (c.compare_exchange_weak(seen, tagged, std::memory_order_relaxed)) return place::added;
        if (seen == tagged) return place::known; // another worker was first
    }
    return place::full;
}

name_budget::cell* name_budget::count_of(std::uint64_t key, std::uint64_t window) noexcept
{
    const auto tagged = (window << window_shift) | ((key & tag_mask) & ~count_mask);
    for (std::size_t i = 0; i < limits::name_budget_probes; ++i) {
        cell& c = counts_[((key >> tag_shift) + i) % counts_.size()];
        auto seen = c.load(std::memory_order_relaxed);
        while (window_of(seen) < window)
            if (c.compare_exchange_weak(seen, tagged, std::memory_order_relaxed)) return &c;
        if ((seen & ~count_mask) == tagged) return &c;
    }
    return nullptr;
}

} // namespace exeat
