// Saves and restores the state of a name_budget that outlives a process.
#include <exeat/budget/name_budget.hpp>

#include "name_cells.hpp"

#include <algorithm>
#include <cassert>

namespace exeat {

namespace {

// The snapshot is placed at the start of time, and now is `age` later: after two windows, all of it has expired.
std::chrono::minutes ahead_of(const name_budget::snapshot& s, std::chrono::minutes age, budget_minutes now) noexcept
{
    const auto since = std::clamp<std::chrono::minutes>(age, std::chrono::minutes{0}, 2 * limits::name_window);
    return limits::budget_epoch + s.into_step + since - now;
}
static_assert(limits::budget_epoch % limits::name_step == std::chrono::minutes{0});

} // namespace

name_budget::name_budget(const snapshot& s, std::chrono::minutes age, budget_minutes now, bool forgot)
    : seed_{s.seed}, ahead_{ahead_of(s, age, now)}, names_(limits::name_budget_names)
{
    for (auto& c : names_) c.store(passed, std::memory_order_relaxed); // a name in the snapshot may follow a cell that was not in it
    constexpr step then = limits::budget_epoch / limits::name_step;
    if (forgot) forgot_ = step_at(now);
    else if (s.forgot) forgot_ = then - *s.forgot;
    for (const auto& n : s.names) {
        assert(n.place < names_.size() && n.age < steps);
        names_[n.place].store(n.tag << step_bits | (then - n.age), std::memory_order_relaxed);
    }
    for (const auto& from : s.accounts) {
        const auto newest = std::find_if(from.taken.begin(), from.taken.end(), [](auto n) { return n != 0; });
        const account_key key{from.client, from.entry};
        account* const to = newest == from.taken.end() ? nullptr : account_of(part_of(key), key, then);
        if (to == nullptr) continue;
        to->newest = then - static_cast<step>(newest - from.taken.begin());
        for (step i = 0; i < steps; ++i) to->taken[(then - i) % steps] = from.taken[i];
    }
}

void name_budget::count_again(const counted& c, std::chrono::minutes age, budget_minutes now)
{
    const auto steps_ago = static_cast<std::int64_t>(age / step_minutes);
    if (steps_ago >= static_cast<std::int64_t>(steps)) return;
    const auto then = step_at(now) - static_cast<step>(steps_ago);
    if (knows(c.name, then)) return;
    const account_key key{c.client, c.entry};
    if (account* const a = account_of(part_of(key), key, then)) a->add(then);
    remember(c.name, then);
}

// The names are read first: a name taken meanwhile is then counted, whether it is known or not.
name_budget::snapshot name_budget::written(budget_minutes now)
{
    const auto here = step_at(now);
    snapshot out;
    out.seed = seed_;
    out.into_step = (now + ahead_) % step_minutes;
    if (forgot_ && within(*forgot_, here)) out.forgot = static_cast<std::uint8_t>(age_at(*forgot_, here));
    for (std::size_t i = 0; i < names_.size(); ++i)
        if (const auto seen = names_[i].load(std::memory_order_relaxed); within(step_of(seen), here))
            out.names.push_back({static_cast<std::uint32_t>(i), tag_of(seen), static_cast<std::uint8_t>(age_at(step_of(seen), here))});
    for (auto& p : parts_) {
        const std::lock_guard hold{p.lock};
        for (const auto& a : p.accounts) {
            if (!within(a.newest, here) || a.sum(here) == 0) continue;
            snapshot::account to{a.key.client, a.key.entry, {}};
            for (step age = age_at(a.newest, here); age < steps; ++age) to.taken[age] = a.taken[(std::max(here, a.newest) - age) % steps];
            out.accounts.push_back(to);
        }
    }
    return out;
}

} // namespace exeat
