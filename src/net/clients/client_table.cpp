#include <net/clients/client_table.hpp>

#include <net/random_seed.hpp>

#include <cstring>

namespace exeat::net {

namespace {

// Clients choose their addresses within a prefix; a secret prevents them from filling one bucket of the table.
std::uint64_t secret() noexcept
{
    static const std::uint64_t drawn = random_seed() | 1;
    return drawn;
}

std::uint64_t mix(std::uint64_t a, std::uint64_t b) noexcept
{
    __extension__ using wide = unsigned __int128;
    const auto product = static_cast<wide>(a) * b;
    return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

void fold(client_account& into, const client_account& from) noexcept
{
    for (std::size_t p = 0; p < purposes; ++p) {
        into.bytes[p].upload.add(from.bytes[p].upload.read());
        into.bytes[p].download.add(from.bytes[p].download.read());
    }
    into.denied.add(from.denied.read());
}

bool idle(const client_account& a, std::chrono::seconds now) noexcept
{
    const auto seen = std::chrono::seconds{static_cast<std::chrono::seconds::rep>(a.last_seen.read())};
    return a.active.read() == 0 && now - seen >= limits::client_idle;
}

} // namespace

std::size_t client_key_hash::operator()(const client_key& key) const noexcept
{
    std::array<std::uint64_t, 2> half{};
    static_assert(sizeof half == sizeof key.source.octets);
    std::memcpy(half.data(), key.source.octets.data(), sizeof half);
    const auto first = mix(half[0] ^ secret(), half[1] ^ 0x9e3779b97f4a7c15);
    return static_cast<std::size_t>(mix(first ^ key.group_slot, secret()));
}

client_account& client_table::of(const client_key& key)
{
    if (const auto known = accounts_.find(key); known != accounts_.end()) return known->second;
    if (accounts_.size() >= limits::client_slots) return others_;
    try {
        const std::lock_guard hold{mutex_};
        return accounts_.try_emplace(key).first->second;
    } catch (const std::bad_alloc&) {
        return others_;
    }
}

void client_table::forget_idle(std::chrono::seconds steady_now)
{
    if (steady_now < next_sweep_) return;
    next_sweep_ = steady_now + limits::client_sweep;
    for (auto at = accounts_.begin(); at != accounts_.end();) {
        if (!idle(at->second, steady_now)) {
            ++at;
            continue;
        }
        const std::lock_guard hold{mutex_};
        fold(others_, at->second);
        at = accounts_.erase(at);
    }
}

} // namespace exeat::net
