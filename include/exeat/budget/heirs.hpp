// The heirs of accounts, or of the data kept for entries, when a list replaces another. Values.
#pragma once

#include <exeat/budget/moved_clients.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace exeat {

template <class Id> struct heir {
    Id from, to;
    bool of_moved = false; // applies only to clients that the new list puts into other groups
    auto operator<=>(const heir&) const = default;
};

// Pairs of what leaves and what inherits, kept as sets: all of `to` inherit from all of `from`. Copies share their content. Any thread.
template <class Id> class heirs_of {
public:
    struct set {
        std::vector<Id> from, to; // each ascending, no duplicates; an Id in both inherits nothing from itself
        bool of_moved = false;    // applies only to clients that the new list puts into other groups
        bool operator==(const set&) const = default;
    };
    heirs_of() = default;
    heirs_of(std::initializer_list<heir<Id>> all)
    {
        std::vector<set> sets;
        for (const auto& h : all) sets.push_back({{h.from}, {h.to}});
        *this = {std::move(sets), nullptr};
    }
    heirs_of(std::vector<set> sets, std::shared_ptr<const moved_clients> moved)
    {
        if (sets.empty()) return;
        content c{std::move(sets), {}, std::move(moved)};
        for (std::size_t i = 0; i < c.sets.size(); ++i)
            for (const auto& id : c.sets[i].from) c.of.emplace_back(id, i);
        std::sort(c.of.begin(), c.of.end());
        is_ = std::make_shared<const content>(std::move(c));
    }

    bool empty() const noexcept { return !is_; }
    const std::vector<set>& sets() const noexcept { return is_ ? is_->sets : none; }
    bool has(const Id& from) const
    {
        const auto [begin, end] = of(from);
        return begin != end;
    }
    // Calls visit(const set&) for each set with `from` in its `from`.
    void each_set(const Id& from, auto&& visit) const
    {
        const auto [begin, end] = of(from);
        for (auto at = begin; at != end; ++at) visit(is_->sets[at->second]);
    }
    // Whether the set applies to the client (moved_clients::has()).
    bool applies(const set& s, const ip_address& client) const { return !s.of_moved || (is_->moved && is_->moved->has(client)); }
    // Calls visit(const Id&) for each heir of `from`, for this client or for any client; twice if two sets have it.
    void each(const Id& from, const ip_address& client, auto&& visit) const
    {
        each_set(from, [&](const set& s) {
            if (applies(s, client)) each_other(s, from, visit);
        });
    }
    void each(const Id& from, auto&& visit) const
    {
        each_set(from, [&](const set& s) { each_other(s, from, visit); });
    }
    // All pairs, for few of them.
    std::vector<heir<Id>> all() const
    {
        std::vector<heir<Id>> out;
        for (const auto& s : sets())
            for (const auto& from : s.from) each_other(s, from, [&](const Id& to) { out.push_back({from, to, s.of_moved}); });
        std::sort(out.begin(), out.end()); // inheritance for all clients before that for moved clients only
        const auto same = [](const auto& a, const auto& b) { return a.from == b.from && a.to == b.to; };
        out.erase(std::unique(out.begin(), out.end(), same), out.end());
        return out;
    }
    bool operator==(const heirs_of& o) const { return all() == o.all(); }

private:
    using places = std::vector<std::pair<Id, std::size_t>>;
    struct content {
        std::vector<set> sets;
        places of; // the sets with each Id in `from`, ascending
        std::shared_ptr<const moved_clients> moved;
    };
    static inline const std::vector<set> none{};
    static inline const places nowhere{};

    static void each_other(const set& s, const Id& from, auto&& visit)
    {
        for (const auto& to : s.to)
            if (to != from) visit(to);
    }
    auto of(const Id& from) const
    {
        const auto& all = is_ ? is_->of : nowhere;
        const auto begin = std::ranges::lower_bound(all, from, std::less{}, &std::pair<Id, std::size_t>::first);
        return std::pair{begin, std::ranges::upper_bound(begin, all.end(), from, std::less{}, &std::pair<Id, std::size_t>::first)};
    }
    std::shared_ptr<const content> is_;
};

// The heirs of the last few lists. A worker that still uses an older list looks up here what inherits from the accounts that it takes from.
// One thread.
template <class Id> class recent_heirs {
public:
    static constexpr std::size_t lists = 16; // a worker that is further behind has not run for as many reloads

    // If the generation was added before, the new heirs replace the old ones.
    void add(std::uint64_t generation, heirs_of<Id> all)
    {
        std::erase_if(lists_, [generation](const auto& l) { return l.first == generation; });
        if (lists_.size() == lists) lists_.pop_front();
        lists_.emplace_back(generation, std::move(all));
    }
    // The direct and indirect heirs of `id` under the lists after `generation`, without `id` itself, for this client or for any client.
    std::vector<Id> since(std::uint64_t generation, const Id& id, const std::optional<ip_address>& client = {}) const
    {
        if (lists_.empty() || lists_.back().first <= generation) return {}; // the usual case; allocates nothing
        std::vector<Id> out{id};
        for (const auto& [of, all] : lists_) {
            if (of <= generation) continue;
            const auto before = out;
            const auto add = [&out](const Id& to) {
                if (std::find(out.begin(), out.end(), to) == out.end()) out.push_back(to);
            };
            for (const auto& from : before) client ? all.each(from, *client, add) : all.each(from, add);
        }
        out.erase(out.begin());
        return out;
    }

private:
    std::deque<std::pair<std::uint64_t, heirs_of<Id>>> lists_; // by generation, the oldest first
};

} // namespace exeat
