#include <exeat/budget_book.hpp>

#include "name_hash.hpp"

#include <cstring>

namespace exeat {

std::uint64_t budget_key::id_of(std::string_view entry) noexcept
{
    std::uint64_t h = 0xcbf29ce484222325;
    for (const char c : entry) h = (h ^ static_cast<unsigned char>(c)) * 0x100000001b3;
    return h == 0 ? 1 : h;
}

std::size_t budget_book::hash::operator()(const budget_key& k) const noexcept
{
    char bytes[sizeof k.client.octets + sizeof k.what + 1];
    std::memcpy(bytes, k.client.octets.data(), sizeof k.client.octets);
    std::memcpy(bytes + sizeof k.client.octets, &k.what, sizeof k.what);
    bytes[sizeof bytes - 1] = static_cast<char>(k.of);
    name_hash h{seed};
    h.absorb({bytes, sizeof bytes});
    return h.whole();
}

budget_book::budget_book(std::uint64_t seed, budget_minutes now, std::optional<budget_minutes> forgot) : hash_{seed}, forgot_{forgot}
{
    upload_limits tight;
    tight.most[static_cast<std::size_t>(budget_window::hour)] = limits::crowded_budget;
    shared_ = std::make_unique<line>(tight, now, std::nullopt);
    for (auto& p : parts_) p.lines = decltype(p.lines){0, hash_};
}

budget_book::handle budget_book::open(const budget_key& key, const upload_limits& to, budget_minutes now)
{
    auto& p = parts_[hash_(key) % part_count];
    const std::lock_guard hold{p.lines_lock};
    line* l = find_or_add(p, key, to, now);
    if (l == nullptr) {
        crowded_.fetch_add(1, std::memory_order_relaxed);
        l = shared_.get();
    } else {
        l->account.hold_to(to, now);
        l->used = now;
    }
    l->open.fetch_add(1, std::memory_order_relaxed);
    return handle{*l};
}

void budget_book::restore(const budget_key& key, const upload_account::snapshot& s, budget_minutes saved_at, budget_minutes now)
{
    auto& p = parts_[hash_(key) % part_count];
    const std::lock_guard hold{p.lines_lock};
    if (line* l = find_or_add(p, key, {}, now)) l->account.read(s, saved_at, now);
}

budget_book::line* budget_book::find_or_add(part& p, const budget_key& key, const upload_limits& to, budget_minutes now)
{
    if (const auto known = p.lines.find(key); known != p.lines.end()) return known->second.get();
    if (p.lines.size() >= limits::budget_accounts / part_count && !make_room(p, now)) return nullptr;
    size_.fetch_add(1, std::memory_order_relaxed);
    return p.lines.emplace(key, std::make_unique<line>(to, now, forgot_)).first->second.get();
}

bool budget_book::make_room(part& p, budget_minutes now)
{
    auto oldest = p.lines.end();
    for (auto at = p.lines.begin(); at != p.lines.end(); ++at) {
        line& l = *at->second;
        const bool older = oldest == p.lines.end() || l.used < oldest->second->used;
        if (older && l.open.load(std::memory_order_acquire) == 0 && !l.account.spent(now)) oldest = at;
    }
    if (oldest == p.lines.end()) return false;
    p.lines.erase(oldest);
    size_.fetch_sub(1, std::memory_order_relaxed);
    evicted_.fetch_add(1, std::memory_order_relaxed);
    return true;
}

} // namespace exeat
