#include <exeat/budget/accounts.hpp>

#include "host_marks.hpp"

#include <algorithm>
#include <iterator>
#include <map>
#include <numeric>
#include <set>

namespace exeat {

namespace {

// Visits the indices of the holdings that have the mark.
void each_holder(const coverage& of, std::uint64_t mark, auto&& visit)
{
    for (auto at = std::lower_bound(of.marks.begin(), of.marks.end(), mark); at != of.marks.end() && without_index(*at) == mark; ++at)
        visit(index_of(*at));
}

constexpr std::size_t nobody = ~std::size_t{0};

// For each holding, the one of the other side that takes it in, if one does.
std::vector<std::size_t> taken_in_by(const std::vector<holding>& which, const std::vector<holding>& by)
{
    std::map<std::uint64_t, std::vector<std::size_t>> of_entry;
    for (std::size_t i = 0; i < by.size(); ++i) of_entry[by[i].entry].push_back(i);
    std::vector<std::size_t> out(which.size(), nobody);
    for (std::size_t i = 0; i < which.size(); ++i)
        for (const auto j : of_entry[which[i].entry])
            if (by[j].takes_in(which[i])) out[i] = j;
    return out;
}

// The marks that the other side lacks, or has for something else.
std::vector<std::uint64_t> missing(const coverage& from, const coverage& in)
{
    const auto same = taken_in_by(from.holdings, in.holdings);
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

std::vector<std::uint16_t> without(const std::vector<std::uint16_t>& ports, const std::vector<std::uint16_t>& those)
{
    std::vector<std::uint16_t> out;
    std::set_difference(ports.begin(), ports.end(), those.begin(), those.end(), std::back_inserter(out));
    return out;
}

bool meet(const std::vector<std::uint16_t>& a, const std::vector<std::uint16_t>& b)
{
    return std::any_of(a.begin(), a.end(), [&](auto p) { return std::binary_search(b.begin(), b.end(), p); });
}

// Who has, or lately had, any host of a pattern.
struct holder {
    const holding* of;
    bool all; // of the pattern's hosts, and has them still
    bool operator==(const holder&) const = default;
};

// What one holding inherits for one pattern, in accounts or entries as `id` says.
template <class Id> void inherit(const holding& h, const std::vector<holder>& from, std::set<heir<Id>>& out, auto&& id)
{
    auto news = h.ports;
    for (const auto& f : from)
        if (f.all && id(*f.of) == id(h)) news = without(news, f.of->ports);
    for (const auto& f : from)
        if (id(*f.of) != id(h) && meet(f.of->ports, news)) out.insert({id(*f.of), id(h)});
}

class comparison {
public:
    comparison(const account_history::state& before, const coverage& next, wall_time now) : before_{before}, next_{next}, now_{now}
    {
        for (std::size_t i = 0; i < before.past.holdings.size(); ++i)
            if (before.of_past[i].anywhere && before.of_past[i].until > now) anywhere_.push_back({&before.past.holdings[i], false});
    }

    // A pattern that a holding of the next list did not have.
    void look_at_new(const host_marks& p, std::size_t index)
    {
        auto from = anywhere_;
        const auto from_both = [&](std::uint64_t mark, bool whole) {
            each_holder(before_.now, mark, [&](std::size_t i) { from.push_back({&before_.now.holdings[i], whole}); });
            each_holder(before_.past, mark, [&](std::size_t i) {
                if (before_.of_past[i].until > now_) from.push_back({&before_.past.holdings[i], false});
            });
        };
        p.each_around([&](std::uint64_t mark) { from_both(mark, true); });
        p.each_below([&](std::uint64_t mark) { from_both(mark, false); });
        if (from.empty() || (index == last_index_ && from == last_)) return;
        const auto& h = next_.holdings[index];
        inherit(h, from, uploads_, [](const holding& o) { return o.client; });
        inherit(h, from, uploads_, [](const holding& o) { return o.shared; });
        inherit(h, from, entries_, [](const holding& o) { return o.entry; });
        last_index_ = index, last_ = std::move(from);
    }

    // Marks of what the list before had and the next one has no more, or for something else. Who had a host behind another that is gone
    // gets its clients, and inherits: a wildcard, say, whose exception was taken out.
    void look_at_lost(const std::vector<std::uint64_t>& lost)
    {
        std::vector<bool> loses(before_.now.holdings.size());
        for (const auto mark : lost) {
            loses[index_of(mark)] = true;
            const auto kind = kind_of(mark);
            if (kind == mark_kind::name) pass_on(mark, mark_kind::name);
            else if (kind != mark_kind::above) pass_on(mark, mark_kind::above);
        }
        for (const auto mark : before_.now.marks) { // which of its hosts lay there is not known any more
            if (!loses[index_of(mark)] || kind_of(mark) != mark_kind::above) continue;
            pass_on(mark, mark_kind::one_label);
            pass_on(mark, mark_kind::any_depth);
        }
    }

    account_heirs found() const { return {{uploads_.begin(), uploads_.end()}, {entries_.begin(), entries_.end()}}; }

private:
    void pass_on(std::uint64_t mark, mark_kind to)
    {
        const auto& from = before_.now.holdings[index_of(mark)];
        each_holder(next_, mark_of(mark, to), [&](std::size_t i) {
            const auto& h = next_.holdings[i];
            if (!meet(from.ports, h.ports)) return;
            if (from.client != h.client) uploads_.insert({from.client, h.client});
            if (from.shared != h.shared) uploads_.insert({from.shared, h.shared});
            if (from.entry != h.entry) entries_.insert({from.entry, h.entry});
        });
    }

    const account_history::state& before_;
    const coverage& next_;
    const wall_time now_;
    std::vector<holder> anywhere_;
    std::set<heir<account_id>> uploads_;
    std::set<heir<std::uint64_t>> entries_;
    std::size_t last_index_ = nobody; // most hosts of an entry come from where the one before came from
    std::vector<holder> last_;
};

// The patterns of what lets out, each with the index of its holding.
void each_pattern(const policy& rules, auto&& visit)
{
    std::vector<std::size_t> index(rules.rules().size(), nobody);
    std::size_t next = 0;
    for (std::size_t i = 0; i < index.size(); ++i)
        if (rules.rules()[i].kind != rule_kind::deny) index[i] = next++;
    rules.names().each_naming([&](std::string_view base, host_pattern::reach how, std::span<const rule_index> all) {
        const host_marks marks{base, how};
        for (const auto r : all)
            if (index[r] != nobody) visit(marks, index[r]);
    });
    for (std::size_t i = 0; i < index.size(); ++i) // a pinned address is the same host under any name
        for (const auto& a : rules.rules()[i].addresses) visit(host_marks{a.to_string(), host_pattern::reach::exact}, index[i]);
}

void make_set(std::vector<std::uint64_t>& marks)
{
    std::sort(marks.begin(), marks.end());
    marks.erase(std::unique(marks.begin(), marks.end()), marks.end());
}

} // namespace

account_id client_account(const rule& r, const policy_settings& s)
{
    if (!r.upload && !s.upload) return {budget_key::scope::client_at_purpose, static_cast<std::uint64_t>(r.purpose)};
    return {budget_key::scope::client_at_entry, shared_account(r).what};
}

// No entry's name has a colon.
account_id shared_account(const rule& r)
{
    return {budget_key::scope::entry, r.account.empty() ? r.id : budget_key::id_of("account:" + r.account)};
}

bool holding::takes_in(const holding& other) const
{
    return client == other.client && shared == other.shared && entry == other.entry &&
           std::includes(ports.begin(), ports.end(), other.ports.begin(), other.ports.end());
}

coverage coverage_of(const policy& rules)
{
    coverage out;
    for (const auto& r : rules.rules())
        if (r.kind != rule_kind::deny) out.holdings.push_back({client_account(r, rules.settings()), shared_account(r), r.id, r.ports});
    each_pattern(
        rules, [&](const host_marks& p, std::size_t index) { p.each_own([&](std::uint64_t hash) { out.marks.push_back(hash | index); }); });
    make_set(out.marks);
    out.marks.shrink_to_fit();
    return out;
}

account_heirs account_history::heirs_under(const policy& rules, const coverage& next, wall_time now) const
{
    if (is_.now.marks.empty() && is_.past.marks.empty()) return {};
    comparison all{is_, next, now};
    if (const auto news = missing(next, is_.now); !news.empty())
        each_pattern(rules, [&](const host_marks& p, std::size_t index) {
            if (std::binary_search(news.begin(), news.end(), p.self() | index)) all.look_at_new(p, index);
        });
    all.look_at_lost(missing(is_.now, next));
    return all.found();
}

void account_history::adopt(coverage next, wall_time now)
{
    forget_before(now);
    remember(missing(is_.now, next), now + limits::account_memory);
    is_.now = std::move(next);
    hold_to_limits();
}

void account_history::forget_before(wall_time now)
{
    std::vector<bool> lasts;
    for (const auto& p : is_.of_past) lasts.push_back(p.until > now);
    keep_past(lasts);
}

void account_history::remember(const std::vector<std::uint64_t>& marks_of_now, wall_time until)
{
    std::vector<std::size_t> place(is_.now.holdings.size(), nobody);
    for (const auto mark : marks_of_now) {
        auto& to = place[index_of(mark)];
        if (to == nobody) to = place_in_past(is_.now.holdings[index_of(mark)], until);
        if (!is_.of_past[to].anywhere) is_.past.marks.push_back(without_index(mark) | to);
    }
    make_set(is_.past.marks);
}

std::size_t account_history::place_in_past(const holding& h, wall_time until)
{
    auto& all = is_.past.holdings;
    const auto at = static_cast<std::size_t>(std::find(all.begin(), all.end(), h) - all.begin());
    if (at == all.size()) all.push_back(h), is_.of_past.emplace_back();
    is_.of_past[at].until = std::max(is_.of_past[at].until, until);
    return at;
}

// Beyond the limit no account is forgotten, only where its hosts were: then they were anywhere.
void account_history::hold_to_limits()
{
    auto& p = is_.past;
    while (p.marks.size() > limits::past_hosts) {
        std::vector<std::size_t> count(p.holdings.size());
        for (const auto mark : p.marks) ++count[index_of(mark)];
        const auto most = static_cast<std::size_t>(std::max_element(count.begin(), count.end()) - count.begin());
        is_.of_past[most].anywhere = true;
        std::erase_if(p.marks, [most](auto mark) { return index_of(mark) == most; });
    }
    if (p.holdings.size() <= limits::past_holdings) return;
    std::vector<std::size_t> by_end(p.holdings.size());
    std::iota(by_end.begin(), by_end.end(), std::size_t{0});
    std::stable_sort(by_end.begin(), by_end.end(), [&](auto a, auto b) { return is_.of_past[a].until > is_.of_past[b].until; });
    std::vector<bool> kept(p.holdings.size());
    for (std::size_t i = 0; i < limits::past_holdings; ++i) kept[by_end[i]] = true;
    keep_past(kept);
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
