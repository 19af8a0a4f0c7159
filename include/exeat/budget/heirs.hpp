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
#include <span>
#include <utility>
#include <vector>

namespace exeat {

template <class Id> struct heir {
    Id from, to;
    bool of_moved = false; // applies only to clients that the new list puts into other groups
    auto operator<=>(const heir&) const = default;
};

template <class Id> class heirs_of {
public:
    using list = std::vector<heir<Id>>; // ascending, no duplicates
    heirs_of() = default;
    heirs_of(std::initializer_list<heir<Id>> all) : all_{all} {}
    heirs_of(list all, std::shared_ptr<const moved_clients> moved) : all_{std::move(all)}, moved_{std::move(moved)} {}

    bool empty() const noexcept { return all_.empty(); }
    const list& all() const noexcept { return all_; }
    bool has(const Id& from) const { return !of(from).empty(); }
    // Calls visit(const Id&) for each heir of `from`, for this client or for any client.
    void each(const Id& from, const ip_address& client, auto&& visit) const
    {
        for (const auto& h : of(from))
            if (!h.of_moved || (moved_ && moved_->has(client))) visit(h.to);
    }
    void each(const Id& from, auto&& visit) const
    {
        for (const auto& h : of(from)) visit(h.to);
    }
    bool operator==(const heirs_of& o) const { return all_ == o.all_; }

private:
    std::span<const heir<Id>> of(const Id& from) const
    {
        const auto begin = std::ranges::lower_bound(all_, from, std::less{}, &heir<Id>::from);
        return {begin, std::ranges::upper_bound(begin, all_.end(), from, std::less{}, &heir<Id>::from)};
    }

    list all_;
    std::shared_ptr<const moved_clients> moved_;
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
