// Determines what inherits from what under the next list (accounts.hpp).
#include <exeat/budget/accounts.hpp>

#include "coverage_marks.hpp"
#include "each_pattern.hpp"

#include <algorithm>
#include <iterator>
#include <memory>

namespace exeat {

namespace {

bool serves_alike(const holding& h, const holding& other) { return other.takes_in(h) && h.terms == other.terms; }
bool on_same_terms(const holding& h, const holding& other)
{
    return h.terms == other.terms && h.client == other.client && h.shared == other.shared;
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

// Which holding of the next list inherits from which earlier holding: one bit for each pair, as there may be millions.
class pairs {
public:
    pairs(std::size_t heirs, std::size_t others) : others_{others}, bits_(heirs * others) {}

    void add(std::size_t heir, std::size_t from) { bits_[heir * others_ + from] = true; }
    bool has(std::size_t heir, std::size_t from) const { return bits_[heir * others_ + from]; }
    places of(std::size_t heir) const
    {
        places out;
        for (std::size_t i = 0; i < others_ && !bits_.empty(); ++i)
            if (bits_[heir * others_ + i]) out.push_back(i);
        return out;
    }

private:
    const std::size_t others_;
    std::vector<bool> bits_;
};

// The holdings that the same others inherit from.
using holding_sets = std::map<places, places>;

auto ids(auto&& id_of, const places& which)
{
    std::vector<decltype(id_of(std::size_t{}))> out;
    std::transform(which.begin(), which.end(), std::back_inserter(out), id_of);
    std::sort(out.begin(), out.end());
    out.erase(std::unique(out.begin(), out.end()), out.end());
    return out;
}

places set_bits(const std::vector<bool>& of)
{
    places out;
    for (std::size_t i = 0; i < of.size(); ++i)
        if (of[i]) out.push_back(i);
    return out;
}

class comparison {
public:
    comparison(const account_history::state& before, const coverage& next, wall_time now)
        : before_{before}, next_{next}, now_{now}, moved_{std::make_shared<moved_clients>(before.now.clients, next.clients)},
          then_{counterparts(next.holdings, before.now.holdings, on_same_terms)}, all_{next.holdings.size(), others()},
          moved_only_{next.holdings.size(), moved_->any() ? others() : 0}
    {
        for (std::size_t i = 0; i < before.past.holdings.size(); ++i)
            if (before.of_past[i].anywhere && before.of_past[i].until > now) anywhere_.push_back(place_of_past(i));
    }

    void compare(const policy& rules)
    {
        const auto news = missing(next_, before_.now, counterparts(next_.holdings, before_.now.holdings, serves_alike));
        if (!news.empty())
            each_pattern(rules, next_.holdings, [&](const host_marks& p, std::size_t index) {
                if (std::binary_search(news.begin(), news.end(), p.self() | index)) look_at(p, index, false);
            });
        if (moved_->any()) each_pattern(rules, next_.holdings, [&](const host_marks& p, std::size_t index) { look_at(p, index, true); });
        look_at_lost();
        look_at_order();
    }

    account_heirs found() const
    {
        std::vector<heirs_of<account_id>::set> uploads;
        std::vector<heirs_of<std::uint64_t>::set> entries;
        for (const bool of_moved : {false, true})
            for (const auto& [from, to] : sets_of(of_moved ? moved_only_ : all_)) {
                add(uploads, from, to, of_moved, [](const holding& h) { return h.client; });
                add(uploads, from, to, of_moved, [](const holding& h) { return h.shared; });
                add(entries, from, to, of_moved, [](const holding& h) { return h.entry; });
            }
        return {{std::move(uploads), moved_}, {std::move(entries), moved_}};
    }

private:
    std::size_t others() const noexcept { return before_.now.holdings.size() + before_.past.holdings.size(); }
    std::size_t place_of_past(std::size_t i) const noexcept { return before_.now.holdings.size() + i; }
    const holding& holding_at(std::size_t place) const noexcept
    {
        const auto now = before_.now.holdings.size();
        return place < now ? before_.now.holdings[place] : before_.past.holdings[place - now];
    }

    // Beyond the limit everything inherits from everything: too much, and not too little.
    holding_sets sets_of(const pairs& which) const
    {
        holding_sets out;
        std::size_t listed = 0;
        std::vector<bool> all_from(others()), all_to(next_.holdings.size());
        for (std::size_t heir = 0; heir < next_.holdings.size(); ++heir) {
            auto from = which.of(heir);
            if (from.empty()) continue;
            all_to[heir] = true;
            for (const auto f : from) all_from[f] = true;
            if (listed > limits::heirs_listed) continue;
            const auto [at, added] = out.try_emplace(std::move(from));
            at->second.push_back(heir);
            listed += 1 + (added ? at->first.size() : 0);
        }
        if (listed > limits::heirs_listed) out = {{set_bits(all_from), set_bits(all_to)}};
        return out;
    }

    void add(auto& out, const places& from, const places& to, bool of_moved, auto&& id_of) const
    {
        auto leaving = ids([&](std::size_t i) { return id_of(holding_at(i)); }, from);
        auto heirs = ids([&](std::size_t i) { return id_of(next_.holdings[i]); }, to);
        if (heirs.size() != 1 || leaving != heirs) out.push_back({std::move(leaving), std::move(heirs), of_moved}); // not only to itself
    }

    // Handles a pattern that a holding of the next list did not have, or not on these terms; or, with of_moved, any pattern, for clients
    // that are now in other groups.
    void look_at(const host_marks& p, std::size_t index, bool of_moved)
    {
        auto from = anywhere_;
        const auto from_both = [&](std::uint64_t mark) {
            each_holder(before_.now, mark, [&](std::size_t i) { from.push_back(i); });
            each_holder(before_.past, mark, [&](std::size_t i) {
                if (before_.of_past[i].until > now_) from.push_back(place_of_past(i));
            });
        };
        p.each_around(from_both);
        p.each_below(from_both);
        const auto& h = next_.holdings[index];
        const auto ports = of_moved ? h.ports : new_ports(p, index);
        auto& to = of_moved ? moved_only_ : all_;
        for (const auto f : from) {
            const auto& of = holding_at(f);
            if (!to.has(index, f) && meet(of.ports, ports) && (!of_moved || of.groups != h.groups)) to.add(index, f);
        }
    }

    // The ports of the holding without those at which it had the pattern before on the same terms.
    std::vector<std::uint16_t> new_ports(const host_marks& p, std::size_t index) const
    {
        const auto& h = next_.holdings[index];
        if (then_[index] == nobody) return h.ports;
        bool had = false;
        each_holder(before_.now, p.self(), [&](std::size_t i) { had = had || i == then_[index]; });
        return had ? without(h.ports, before_.now.holdings[then_[index]].ports) : h.ports;
    }

    // Handles marks of the previous list that the next one lacks, or has for another holding. An entry that had a host after a removed
    // entry now gets its clients, and inherits: a wildcard, for example, whose exception was removed.
    void look_at_lost()
    {
        const auto& now = before_.now;
        const auto lost = missing(now, next_, counterparts(now.holdings, next_.holdings, serves_alike));
        std::vector<bool> loses(before_.now.holdings.size());
        for (const auto mark : lost) {
            loses[index_of(mark)] = true;
            const auto kind = kind_of(mark);
            if (kind == mark_kind::name) pass_on(mark, mark_kind::name);
            else if (kind != mark_kind::above) pass_on(mark, mark_kind::above);
        }
        for (const auto mark : before_.now.marks) { // it is no longer known which of its hosts lay below
            if (!loses[index_of(mark)] || kind_of(mark) != mark_kind::above) continue;
            pass_on(mark, mark_kind::one_label);
            pass_on(mark, mark_kind::any_depth);
        }
    }

    // When two entries have the same pattern, the first one serves: if their order is swapped, they inherit from each other.
    void look_at_order()
    {
        const auto& marks = next_.marks;
        for (auto first = marks.begin(); first != marks.end();) {
            const auto end = std::find_if(first, marks.end(), [&](auto m) { return without_index(m) != without_index(*first); });
            for (auto a = first; a != end && kind_of(*a) != mark_kind::above; ++a)
                for (auto b = a; b != end; ++b) look_at_places(index_of(*a), index_of(*b));
            first = end;
        }
    }

    void look_at_places(std::size_t a, std::size_t b)
    {
        const auto was_a = then_[a], was_b = then_[b];
        if (was_a == nobody || was_b == nobody || was_a <= was_b) return;
        if (meet(holding_at(was_b).ports, next_.holdings[a].ports)) all_.add(a, was_b);
        if (meet(holding_at(was_a).ports, next_.holdings[b].ports)) all_.add(b, was_a);
    }

    void pass_on(std::uint64_t mark, mark_kind to)
    {
        const auto& from = before_.now.holdings[index_of(mark)];
        each_holder(next_, mark_of(mark, to), [&](std::size_t i) {
            if (meet(from.ports, next_.holdings[i].ports)) all_.add(i, index_of(mark));
        });
    }

    const account_history::state& before_;
    const coverage& next_;
    const wall_time now_;
    const std::shared_ptr<const moved_clients> moved_;
    const places then_; // for each holding of the next list, the entry's earlier holding on the same terms, if any
    std::vector<std::size_t> anywhere_;
    pairs all_, moved_only_;
};

} // namespace

account_heirs account_history::heirs_under(const policy& rules, const coverage& next, wall_time now) const
{
    if (is_.now.marks.empty() && is_.past.marks.empty()) return {};
    comparison all{is_, next, now};
    all.compare(rules);
    return all.found();
}

} // namespace exeat
