#include <exeat/budget/name_budget.hpp>

#include "../names/name_hash.hpp"
#include "name_cells.hpp"

#include <algorithm>
#include <cassert>
#include <cstring>

namespace exeat {

namespace {

std::uint64_t hash_of(std::uint64_t seed, const ip_address& client) noexcept
{
    name_hash h{seed};
    h.absorb({reinterpret_cast<const char*>(client.octets.data()), client.octets.size()});
    return h.whole();
}

std::uint64_t hash_of(std::uint64_t seed, const ip_address& client, std::uint64_t entry, std::string_view name) noexcept
{
    char key[sizeof client.octets + sizeof entry];
    std::memcpy(key, client.octets.data(), sizeof client.octets);
    std::memcpy(key + sizeof client.octets, &entry, sizeof entry);
    name_hash h{seed};
    h.absorb({key, sizeof key});
    h.absorb(name);
    return h.whole();
}

} // namespace

// The number of names within the window; a worker whose clock is slightly behind counts from the newest step.
std::uint32_t name_budget::account::sum(step now) const noexcept
{
    std::uint32_t out = 0;
    for (std::uint32_t age = age_at(newest, now); age < steps; ++age) out += taken[(std::max(now, newest) - age) % steps];
    return out;
}

void name_budget::account::add(step now) noexcept
{
    const auto to = std::max(now, newest);
    if (to - newest >= steps) taken = {};
    else
        for (auto s = newest; s < to;) taken[++s % steps] = 0;
    newest = to;
    ++taken[to % steps];
}

void name_budget::account::inherit(const account& before, const account& other, step now) noexcept
{
    const auto to = std::max({now, newest, before.newest, other.newest});
    account is{key, to, {}};
    for (step age = 0; age < steps; ++age) {
        const auto at = to - age;
        const auto of = [at](const account& a) { return at <= a.newest && within(at, a.newest) ? a.taken[at % steps] : std::uint16_t{0}; };
        const auto more = std::max(of(before), of(other)) - of(before);
        is.taken[at % steps] = static_cast<std::uint16_t>(of(*this) + more);
    }
    *this = is;
}

std::uint64_t name_budget::account_key::place() const noexcept { return client ^ entry * 0x9e3779b97f4a7c15; }

name_budget::name_budget(std::uint64_t seed, budget_minutes now, bool forgot)
    : seed_{seed}, ahead_{std::max(limits::budget_epoch - now, std::chrono::minutes{0})}, names_(limits::name_budget_names)
{
    if (forgot) forgot_ = step_at(now);
}

name_budget::step name_budget::step_at(budget_minutes now) const noexcept
{
    return static_cast<step>(((now + ahead_) / step_minutes) & static_cast<std::int64_t>(step_mask));
}

std::uint32_t name_budget::held_to(std::uint32_t most, step now) const noexcept
{
    return forgot_ && within(*forgot_, now) ? std::max(most / 2, std::uint32_t{1}) : most;
}

bool name_budget::take(const ip_address& client, std::uint64_t entry, std::string_view name, std::uint32_t most, budget_minutes now,
                       std::uint64_t generation)
{
    const auto here = step_at(now);
    const auto hash = hash_of(seed_, client, entry, name);
    const account_key key{hash_of(seed_, client), entry};
    if (knows(hash, here)) return true;

    std::vector<std::uint64_t> heirs; // under a list that this worker does not have yet
    {
        auto& p = part_of(key);
        const std::lock_guard hold{p.lock};
        if (knows(hash, here)) return true; // another worker counted it meanwhile
        const bool used_before = was_known(*p.of_entries, client, entry, name, here);
        account* const a = used_before ? nullptr : account_of(p, key, here);
        if (!used_before && (a == nullptr || a->sum(here) >= held_to(most, here))) return false;
        if (!used_before) heirs = p.of_entries->heirs.since(generation, entry);
        if (heirs.empty()) remember(hash, here); // if the table is full, perhaps by other clients, the name counts again each time
        if (used_before) return true;
        a->add(here);
    }
    if (tell_) tell_({key.client, entry, hash});
    for (const auto heir : heirs) {
        if (!count_at({key.client, heir}, most, here)) return false;
        if (tell_) tell_({key.client, heir, hash_of(seed_, client, heir, name)});
    }
    if (!heirs.empty()) remember(hash, here);
    return true;
}

bool name_budget::was_known(const lineage& l, const ip_address& client, std::uint64_t entry, std::string_view name, step now) noexcept
{
    const auto found = l.ancestors_of.find(entry);
    if (found == l.ancestors_of.end()) return false;
    return std::any_of(found->second.begin(), found->second.end(),
                       [&](auto ancestor) { return knows(hash_of(seed_, client, ancestor, name), now); });
}

bool name_budget::count_at(const account_key& key, std::uint32_t most, step now) noexcept
{
    auto& p = part_of(key);
    const std::lock_guard hold{p.lock};
    account* const a = account_of(p, key, now);
    if (a == nullptr || a->sum(now) >= held_to(most, now)) return false;
    a->add(now);
    return true;
}

// The heirs are published before anything is copied: a name taken meanwhile is in the copy, or is counted at the heirs as well.
namespace {

using ids = std::vector<std::uint64_t>; // of entries, ascending

void keep_some(ids& of)
{
    std::sort(of.begin(), of.end());
    of.erase(std::unique(of.begin(), of.end()), of.end());
    if (of.size() > name_budget::ancestors)
        of.erase(of.begin(), of.end() - name_budget::ancestors); // names that were used there cost again
}

ids with_ancestors(const ids& entries, const std::map<std::uint64_t, ids>& known)
{
    ids out = entries;
    for (const auto entry : entries)
        if (const auto further = known.find(entry); further != known.end())
            out.insert(out.end(), further->second.begin(), further->second.end());
    keep_some(out);
    return out;
}

void add_some(ids& to, const ids& more, std::uint64_t without)
{
    std::copy_if(more.begin(), more.end(), std::back_inserter(to), [without](auto id) { return id != without; });
    keep_some(to);
}

} // namespace

void name_budget::pass_on(const heirs_of<std::uint64_t>& all, std::uint64_t generation, budget_minutes now)
{
    if (all.empty()) return;
    auto next = std::make_shared<lineage>(*parts_.front().of_entries);
    next->heirs.add(generation, all);
    if (next->ancestors_of.size() > 4 * limits::rules) next->ancestors_of.clear(); // nearly all belong to removed entries
    const auto before = next->ancestors_of;
    for (const auto& heirs : all.sets()) {
        const auto further = with_ancestors(heirs.from, before);
        for (const auto to : heirs.to) add_some(next->ancestors_of[to], further, to);
    }
    for (auto& p : parts_) {
        const std::lock_guard hold{p.lock};
        p.of_entries = next;
    }
    const auto here = step_at(now);
    for (const auto& key : keys_that_leave(all, here)) pass_on_of(key, all, here);
}

std::vector<name_budget::account_key> name_budget::keys_that_leave(const heirs_of<std::uint64_t>& all, step now)
{
    std::vector<account_key> out;
    for (auto& p : parts_) {
        const std::lock_guard hold{p.lock};
        for (const auto& a : p.accounts)
            if (within(a.newest, now) && all.has(a.key.entry)) out.push_back(a.key);
    }
    return out;
}

// Clients are stored as hashes, so it is unknown which of them moved: what only moved clients inherit, all do. They then have used as many
// names, and know them.
void name_budget::pass_on_of(const account_key& from, const heirs_of<std::uint64_t>& all, step now)
{
    all.each(from.entry, [&](std::uint64_t entry) {
        const account_key to{from.client, entry};
        const auto before = copy_of(to, now), other = copy_of(from, now);
        auto& p = part_of(to);
        const std::lock_guard hold{p.lock};
        account* const is = account_of(p, to, now);
        if (is != nullptr && before && other) is->inherit(*before, *other, now);
    });
}

std::optional<name_budget::account> name_budget::copy_of(const account_key& key, step now)
{
    auto& p = part_of(key);
    const std::lock_guard hold{p.lock};
    const auto* const found = account_of(p, key, now);
    return found == nullptr ? std::nullopt : std::optional{*found};
}

// Expired cells are free, but a name may follow them in its probe sequence; none follows a cell that was never used.
bool name_budget::knows(std::uint64_t name, step now) noexcept
{
    for (std::size_t i = 0; i < limits::name_budget_probes; ++i) {
        cell& c = names_[(name + i) % names_.size()];
        auto seen = c.load(std::memory_order_relaxed);
        if (seen == 0) return false;
        if (tag_of(seen) != tag_of(name) || !within(step_of(seen), now)) continue;
        const auto used = (name & ~step_mask) | now;
        while (tag_of(seen) == tag_of(name) && step_of(seen) < now && !c.compare_exchange_weak(seen, used, std::memory_order_relaxed)) {}
        return true;
    }
    return false;
}

void name_budget::remember(std::uint64_t name, step now) noexcept
{
    for (std::size_t i = 0; i < limits::name_budget_probes; ++i) {
        cell& c = names_[(name + i) % names_.size()];
        auto seen = c.load(std::memory_order_relaxed);
        while (!within(step_of(seen), now))
            if (c.compare_exchange_weak(seen, (name & ~step_mask) | now, std::memory_order_relaxed)) return;
    }
}

name_budget::account* name_budget::account_of(part& p, const account_key& key, step now) noexcept
{
    account* room = nullptr;
    const auto place = key.place();
    for (std::size_t i = 0; i < limits::name_budget_probes; ++i) {
        auto& a = p.accounts[(place + i) % accounts_of_part];
        const bool counts = within(a.newest, now);
        if (counts && a.key == key) return &a;
        if (!counts && room == nullptr) room = &a;
        if (a.newest == 0) break;
    }
    if (room != nullptr) *room = account{key, now, {}};
    return room;
}

} // namespace exeat
