// What inherits from what when a list replaces another: an account, or what is kept of an entry. Values.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <span>
#include <utility>
#include <vector>

namespace exeat {

template <class Id> struct heir {
    Id from, to;
    auto operator<=>(const heir&) const = default;
};
template <class Id> using heirs_of = std::vector<heir<Id>>; // ascending, none twice

template <class Id> std::span<const heir<Id>> heirs_from(const heirs_of<Id>& all, const Id& from)
{
    const auto begin = std::ranges::lower_bound(all, from, std::less{}, &heir<Id>::from);
    return {begin, std::ranges::upper_bound(begin, all.end(), from, std::less{}, &heir<Id>::from)};
}

// The heirs of the last few lists. A worker that still judges by an older list asks here who inherits from what it takes from. One thread.
template <class Id> class recent_heirs {
public:
    static constexpr std::size_t lists = 16; // a worker that is further behind has not run for as many reloads

    // The same list again replaces what was said of it.
    void add(std::uint64_t generation, heirs_of<Id> all)
    {
        std::erase_if(lists_, [generation](const auto& l) { return l.first == generation; });
        if (lists_.size() == lists) lists_.pop_front();
        lists_.emplace_back(generation, std::move(all));
    }
    // What inherits from `id` under the lists after `generation`, through others too; without itself.
    std::vector<Id> since(std::uint64_t generation, const Id& id) const
    {
        if (lists_.empty() || lists_.back().first <= generation) return {}; // nearly always, and without memory
        std::vector<Id> out{id};
        for (const auto& [of, all] : lists_) {
            if (of <= generation) continue;
            const auto before = out;
            for (const auto& from : before)
                for (const auto& h : heirs_from(all, from))
                    if (std::find(out.begin(), out.end(), h.to) == out.end()) out.push_back(h.to);
        }
        out.erase(out.begin());
        return out;
    }

private:
    std::deque<std::pair<std::uint64_t, heirs_of<Id>>> lists_; // by generation, the oldest first
};

} // namespace exeat
