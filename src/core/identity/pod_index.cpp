#include <exeat/identity/pod_index.hpp>

#include <cstring>

namespace exeat {

// The finalizer of SplitMix64, keyed twice: every input bit reaches every output bit.
std::size_t pod_index::hash::operator()(const ip_address& a) const noexcept
{
    const auto mix = [](std::uint64_t x) {
        x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
        x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
        return x ^ (x >> 31);
    };
    std::uint64_t high = 0, low = 0;
    std::memcpy(&high, a.octets.data(), sizeof high);
    std::memcpy(&low, a.octets.data() + sizeof high, sizeof low);
    return mix(mix(high ^ seed) ^ low ^ (seed >> 1));
}

const std::shared_ptr<const pod>* pod_index::find(const ip_address& a) const noexcept
{
    const auto& held = parts_[part_of(a)];
    if (!held) return nullptr;
    const auto at = held->find(a);
    return at == held->end() ? nullptr : &at->second;
}

pod_index pod_index::with(std::span<const change> all) const
{
    pod_index out{*this};
    std::array<std::shared_ptr<part>, parts> fresh;
    for (const auto& c : all) {
        const auto i = part_of(c.address);
        auto& to = fresh[i];
        if (!to) out.parts_[i] = to = parts_[i] ? std::make_shared<part>(*parts_[i]) : std::make_shared<part>(0, hash_);
        if (c.pod) to->insert_or_assign(c.address, c.pod);
        else to->erase(c.address);
    }
    return out;
}

std::size_t pod_index::size() const noexcept
{
    std::size_t n = 0;
    for (const auto& p : parts_) n += p ? p->size() : 0;
    return n;
}

} // namespace exeat
