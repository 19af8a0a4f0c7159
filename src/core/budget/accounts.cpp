#include <exeat/budget/accounts.hpp>

#include "coverage_marks.hpp"

#include <algorithm>
#include <numeric>

namespace exeat {

void account_history::adopt(coverage next, wall_time now, const std::function<bool(const holding&)>& used)
{
    forget_before(now);
    remember(missing(is_.now, next, counterparts(is_.now.holdings, next.holdings, belongs_in)), now + limits::account_memory);
    is_.now = std::move(next);
    forget_succeeded();
    hold_to_limits(used);
}

void account_history::forget_before(wall_time now)
{
    std::vector<bool> lasts;
    for (const auto& p : is_.of_past) lasts.push_back(p.until > now);
    keep_past(lasts);
}

void account_history::remember(const std::vector<std::uint64_t>& marks_of_now, wall_time until)
{
    auto& past = is_.past;
    std::multimap<std::uint64_t, std::size_t> of_entry;
    for (std::size_t i = 0; i < past.holdings.size(); ++i) of_entry.emplace(past.holdings[i].entry, i);
    const auto place_of = [&](const holding& h) {
        const auto [from, to] = of_entry.equal_range(h.entry);
        const auto at = std::find_if(from, to, [&](const auto& known) { return past.holdings[known.second] == h; });
        if (at != to) return at->second;
        past.holdings.push_back(h), is_.of_past.emplace_back();
        return of_entry.emplace(h.entry, past.holdings.size() - 1)->second;
    };
    places place(is_.now.holdings.size(), nobody);
    for (const auto mark : marks_of_now) {
        auto& to = place[index_of(mark)];
        if (to == nobody) to = place_of(is_.now.holdings[index_of(mark)]);
        is_.of_past[to].until = std::max(is_.of_past[to].until, until);
        if (!is_.of_past[to].anywhere) past.marks.push_back(without_index(mark) | to);
    }
    make_set(past.marks);
}

// An entry that has a host now has inherited from those that had it before, so their marks are no longer needed.
void account_history::forget_succeeded()
{
    auto& p = is_.past;
    std::erase_if(p.marks, [&](std::uint64_t mark) {
        bool succeeded = false;
        const auto& ports = p.holdings[index_of(mark)].ports;
        each_holder(is_.now, without_index(mark), [&](std::size_t i) {
            const auto& of = is_.now.holdings[i].ports;
            succeeded = succeeded || std::includes(of.begin(), of.end(), ports.begin(), ports.end());
        });
        return succeeded && kind_of(mark) != mark_kind::above;
    });
    std::vector<bool> kept(p.holdings.size());
    for (std::size_t i = 0; i < kept.size(); ++i) kept[i] = is_.of_past[i].anywhere;
    for (const auto mark : p.marks)
        if (kind_of(mark) != mark_kind::above) kept[index_of(mark)] = true;
    keep_past(kept);
}

// When there are too many marks, no account is forgotten, only its hosts: it then counts as having had any host.
void account_history::hold_to_limits(const std::function<bool(const holding&)>& used)
{
    auto& p = is_.past;
    if (p.holdings.size() > limits::past_holdings) {
        places by_worth(p.holdings.size());
        std::iota(by_worth.begin(), by_worth.end(), std::size_t{0});
        std::vector<bool> kept(p.holdings.size());
        std::transform(p.holdings.begin(), p.holdings.end(), kept.begin(), used);
        std::stable_sort(by_worth.begin(), by_worth.end(),
                         [&](auto a, auto b) { return kept[a] != kept[b] ? kept[a] : is_.of_past[a].until > is_.of_past[b].until; });
        for (std::size_t i = 0; i < by_worth.size(); ++i) kept[by_worth[i]] = i < limits::past_holdings;
        keep_past(kept);
    }
    while (p.marks.size() > limits::past_hosts) {
        std::vector<std::size_t> count(p.holdings.size());
        for (const auto mark : p.marks) ++count[index_of(mark)];
        const auto most = static_cast<std::size_t>(std::max_element(count.begin(), count.end()) - count.begin());
        is_.of_past[most].anywhere = true;
        std::erase_if(p.marks, [most](auto mark) { return index_of(mark) == most; });
    }
}

void account_history::keep_past(const std::vector<bool>& which)
{
    std::vector<std::size_t> place(which.size(), nobody);
    coverage kept;
    std::vector<past_holding> of_kept;
    for (std::size_t i = 0; i < which.size(); ++i) {
        if (!which[i]) continue;
        place[i] = kept.holdings.size();
        kept.holdings.push_back(std::move(is_.past.holdings[i]));
        of_kept.push_back(is_.of_past[i]);
    }
    for (const auto mark : is_.past.marks)
        if (place[index_of(mark)] != nobody) kept.marks.push_back(without_index(mark) | place[index_of(mark)]);
    is_.past = std::move(kept);
    is_.of_past = std::move(of_kept);
}

} // namespace exeat
