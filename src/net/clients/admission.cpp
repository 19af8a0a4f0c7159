#include <net/clients/admission.hpp>

#include <net/random_seed.hpp>

#include <algorithm>
#include <cstring>

namespace exeat::net {

namespace {

// The finalizer of SplitMix64: every input bit reaches every output bit.
std::uint64_t mix(std::uint64_t x) noexcept
{
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
    x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
    return x ^ (x >> 31);
}

} // namespace

admission::admission(std::size_t connections, std::size_t per_source)
    : most_{connections}, most_per_source_{per_source}, key_{random_seed()}, cells_{
                                                                                 std::make_unique<std::array<cell, limits::source_slots>>()}
{}

std::array<admission::cell*, 2> admission::cells_of(const ip_address& a) const noexcept
{
    std::uint64_t high = 0, low = 0;
    std::memcpy(&high, a.octets.data(), sizeof high);
    std::memcpy(&low, a.octets.data() + sizeof high, sizeof low);
    const auto h = mix(mix(high ^ key_) ^ low);
    return {&(*cells_)[h % limits::source_slots], &(*cells_)[(h >> 32) % limits::source_slots]};
}

std::optional<admission::place> admission::enter_unnamed() noexcept
{
    if (all_.fetch_add(1, std::memory_order_relaxed) < most_) return place{*this, std::nullopt};
    detach(std::nullopt);
    return std::nullopt;
}

std::optional<admission::place> admission::enter(const ip_address& source) noexcept
{
    auto taken = enter_unnamed();
    if (taken && !taken->name(source)) taken.reset();
    return taken;
}

bool admission::place::name(const ip_address& source) noexcept
{
    if (!admission_->count(source)) return false;
    source_ = source;
    return true;
}

// A refused source is not counted.
bool admission::count(const ip_address& source) noexcept
{
    const auto [a, b] = cells_of(source);
    const auto busy = std::min(a->fetch_add(1, std::memory_order_relaxed), b->fetch_add(1, std::memory_order_relaxed));
    if (busy < most_per_source_) return true;
    uncount(source);
    return false;
}

void admission::uncount(const ip_address& source) noexcept
{
    for (auto* c : cells_of(source)) c->fetch_sub(1, std::memory_order_relaxed);
}

void admission::detach(const std::optional<ip_address>& source) noexcept
{
    if (source) uncount(*source);
    all_.fetch_sub(1, std::memory_order_relaxed);
}

} // namespace exeat::net
