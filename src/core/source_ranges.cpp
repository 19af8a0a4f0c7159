// Maps a source address to its groups: nested networks of many groups are split into ascending ranges that do not overlap, so that one
// binary search is enough.
#include <exeat/budget/budget_book.hpp> // id_of
#include <exeat/identity/workload_key.hpp>
#include <exeat/policy.hpp>

#include <algorithm>

namespace exeat {

namespace {

ip_address before(ip_address a) noexcept // not for the lowest address
{
    for (std::size_t i = a.octets.size(); i-- > 0;)
        if (a.octets[i]-- != 0) break;
    return a;
}

std::optional<ip_address> after(ip_address a) noexcept
{
    for (std::size_t i = a.octets.size(); i-- > 0;)
        if (++a.octets[i] != 0) return a;
    return std::nullopt;
}

struct grant {
    ip_prefix network;
    std::size_t group;
};

std::vector<grant> sorted_grants(const std::vector<group>& groups)
{
    std::vector<grant> all;
    for (std::size_t i = 0; i < groups.size(); ++i)
        for (const auto& network : groups[i].sources) all.push_back({network, i});
    // of networks that begin at the same address the wider one is first: it is open when the narrower one begins
    std::sort(all.begin(), all.end(), [](const grant& a, const grant& b) {
        return std::tie(a.network.network, a.network.bits) < std::tie(b.network.network, b.network.bits);
    });
    return all;
}

// Prefixes are either nested or disjoint, so the open ones form a stack.
template <class Emit> class sweep {
public:
    explicit sweep(Emit emit) : emit_{emit} {}

    void open(const grant& g)
    {
        close_before(g.network.network);
        if (!open_.empty() && at_ && *at_ < g.network.network) emit_(*at_, before(g.network.network), open_.back().groups);
        group_set groups = open_.empty() ? group_set{} : open_.back().groups;
        groups.set(g.group);
        open_.push_back({g.network.last(), groups});
        at_ = g.network.network;
    }
    void close_all()
    {
        while (!open_.empty()) close_last();
    }

private:
    struct range {
        ip_address last;
        group_set groups;
    };
    void close_before(const ip_address& a)
    {
        while (!open_.empty() && open_.back().last < a) close_last();
    }
    void close_last()
    {
        const range r = open_.back();
        open_.pop_back();
        if (at_ && *at_ <= r.last) {
            emit_(*at_, r.last, r.groups);
            at_ = after(r.last); // none: the highest address was emitted
        }
    }

    Emit emit_;
    std::vector<range> open_;
    std::optional<ip_address> at_; // the first address that has not been emitted
};

} // namespace

std::vector<policy::source_range> policy::disjoint_ranges(const std::vector<group>& groups)
{
    std::vector<source_range> out;
    sweep walk{[&out](const ip_address& first, const ip_address& last, const group_set& of) { out.push_back({first, last, of}); }};
    for (const auto& g : sorted_grants(groups)) walk.open(g);
    walk.close_all();
    return out;
}

group_set policy::groups_of(const ip_address& source, const pod* p) const noexcept
{
    if (is_workload_key(source)) return {};
    auto out = anywhere_;
    const auto next =
        std::upper_bound(sources_.begin(), sources_.end(), source, [](const ip_address& a, const source_range& r) { return a < r.first; });
    if (next != sources_.begin() && source <= std::prev(next)->last) out |= std::prev(next)->groups;
    return out & workloads_.of(p);
}

membership policy::memberships() const
{
    membership out;
    const auto from = [&out](const ip_address& first, std::uint64_t groups) {
        auto& ranges = out.ranges;
        if (!ranges.empty() && ranges.back().first == first) ranges.pop_back(); // the range before ended there
        if ((ranges.empty() ? 0 : ranges.back().groups) != groups) ranges.push_back({first, groups});
    };
    for (const auto& r : sources_) {
        const auto of = r.groups & workloads_.of_anybody();
        from(r.first, of.none() ? 0 : digest_of(of));
        if (const auto end = after(r.last)) from(*end, 0);
    }
    out.pods = pods_digest();
    return out;
}

// Of the groups with workloads; 0: there are none. Independent of the order in the file.
std::uint64_t policy::pods_digest() const
{
    std::uint64_t out = 0;
    for (const auto& g : groups_) {
        if (!g.workloads.any()) continue;
        std::string all = g.name;
        const auto add = [&all](char kind, const auto& words, auto&& text) {
            std::vector<std::string> sorted;
            for (const auto& w : words) sorted.push_back(text(w));
            std::sort(sorted.begin(), sorted.end());
            for (const auto& w : sorted) (all += kind) += w;
        };
        add('s', g.sources, [](const ip_prefix& p) { return p.to_string(); });
        add('\n', g.workloads.service_accounts, [](const std::string& w) { return w; });
        add('\t', g.workloads.namespaces, [](const std::string& w) { return w; });
        out += budget_key::id_of(all);
    }
    return out;
}

// Independent of the order of the groups in the file.
std::uint64_t policy::digest_of(const group_set& of) const noexcept
{
    if (of.all()) return 0;
    std::uint64_t out = 0;
    for (std::size_t i = 0; i < groups_.size(); ++i)
        if (of[i]) out += budget_key::id_of(groups_[i].name);
    return out == 0 ? 1 : out;
}

} // namespace exeat
