// How the marks of two coverages are compared (accounts.hpp). Private to core.
#pragma once

#include <exeat/budget/accounts.hpp>

#include "host_marks.hpp"

#include <algorithm>
#include <map>
#include <vector>

namespace exeat {

// Visits the indices of the holdings that have the mark.
void each_holder(const coverage& of, std::uint64_t mark, auto&& visit)
{
    for (auto at = std::lower_bound(of.marks.begin(), of.marks.end(), mark); at != of.marks.end() && without_index(*at) == mark; ++at)
        visit(index_of(*at));
}

inline constexpr std::size_t nobody = ~std::size_t{0};

inline void make_set(std::vector<std::uint64_t>& marks)
{
    std::sort(marks.begin(), marks.end());
    marks.erase(std::unique(marks.begin(), marks.end()), marks.end());
}

using places = std::vector<std::size_t>;

// For each holding, the index of the other side's holding with the same entry for which `like` is true, or `nobody`.
places counterparts(const std::vector<holding>& which, const std::vector<holding>& others, auto&& like)
{
    std::map<std::uint64_t, places> of_entry;
    for (std::size_t i = 0; i < others.size(); ++i) of_entry[others[i].entry].push_back(i);
    places out(which.size(), nobody);
    for (std::size_t i = 0; i < which.size(); ++i)
        for (const auto j : of_entry[which[i].entry])
            if (like(which[i], others[j])) out[i] = j;
    return out;
}

inline bool belongs_in(const holding& h, const holding& other) { return other.takes_in(h); }

// The marks of `from` that `in` lacks, or has for another holding than the counterpart in `same`.
inline std::vector<std::uint64_t> missing(const coverage& from, const coverage& in, const places& same)
{
    std::vector<std::uint64_t> out;
    auto at = in.marks.begin();
    for (const auto mark : from.marks) {
        const auto plain = without_index(mark);
        while (at != in.marks.end() && *at < plain) ++at;
        const auto wanted = same[index_of(mark)];
        bool found = false;
        for (auto i = at; i != in.marks.end() && without_index(*i) == plain; ++i) found = found || index_of(*i) == wanted;
        if (!found) out.push_back(mark);
    }
    return out;
}

} // namespace exeat
