#include <ops/lint.hpp>

#include <algorithm>
#include <fmt/format.h>
#include <unordered_map>

namespace exeat::ops {

namespace {

using reach = host_pattern::reach;

bool covers(const std::vector<std::uint16_t>& wide, const std::vector<std::uint16_t>& narrow) noexcept
{
    if (wide.empty()) return true; // every port
    return !narrow.empty() && std::includes(wide.begin(), wide.end(), narrow.begin(), narrow.end());
}

bool share(const std::vector<std::uint16_t>& a, const std::vector<std::uint16_t>& b) noexcept
{
    return a.empty() || b.empty() || std::find_first_of(a.begin(), a.end(), b.begin(), b.end()) != a.end();
}

// All that `narrow` is for, `wide` is for too: clients and ports.
bool covers(const rule& wide, const rule& narrow) noexcept
{
    return (narrow.groups & ~wide.groups).none() && covers(wide.ports, narrow.ports);
}
bool overlap(const rule& a, const rule& b) noexcept { return (a.groups & b.groups).any() && share(a.ports, b.ports); }

// A host with the terms it passes on: where they are equal, one of two entries says nothing.
bool same_terms(const rule& a, const rule& b) noexcept
{
    return a.protocol == b.protocol && a.purpose == b.purpose && a.ech == b.ech && a.wildcard_names == b.wildcard_names &&
           a.max_age == b.max_age;
}

struct named { // a host where an entry names it
    const entry* in;
    const located_host* host;
};

class overlaps {
public:
    overlaps(const allowlist_draft& d, findings& wrong) : wrong_{wrong}
    {
        for (const auto& e : d.entries)
            for (const auto& h : e.hosts) by_base_[h.pattern.base.str()].push_back({&e, &h});
    }
    void look(const entry& e)
    {
        for (const auto& h : e.hosts) look({&e, &h});
    }

private:
    void look(const named& n)
    {
        if (tell_of_twin(n) || n.in->value.kind == rule_kind::deny) return;
        bool told = false;
        each_cover(n.host->pattern, [&](const named& c) {
            told = tell_of_cover(n, c);
            return told;
        });
    }

    // The same pattern, named before.
    bool tell_of_twin(const named& n)
    {
        for (const auto& other : by_base_.at(n.host->pattern.base.str())) {
            if (other.host == n.host) return false;
            if (other.host->pattern != n.host->pattern || other.in->value.kind != n.in->value.kind) continue;
            if (other.in == n.in) return tell(n, fmt::format("stands in this entry twice (line {} too); remove one", other.host->at.line));
            if (n.in->value.kind == rule_kind::deny || other.in->value.protocol != n.in->value.protocol) continue;
            if (covers(other.in->value, n.in->value))
                return tell(n, fmt::format("is shadowed by {}, which comes first and takes it for all these groups and ports; remove one",
                                           shown(other)));
            if (overlap(other.in->value, n.in->value))
                return tell(
                    n, fmt::format("is named by {} too, which comes first and decides for the groups and ports that both take; part them",
                                   shown(other)));
        }
        return false;
    }

    bool tell_of_cover(const named& n, const named& c)
    {
        const rule &mine = n.in->value, &theirs = c.in->value;
        if (c.in == n.in && c.host->pattern == n.host->pattern) return false;
        if (theirs.kind == rule_kind::deny)
            return covers(theirs, mine) &&
                   tell(n, fmt::format("never opens: {} denies it for all these groups and ports; remove one", shown(c)));
        if (theirs.kind == rule_kind::private_link && mine.kind == rule_kind::allow)
            return tell(n, fmt::format("never opens: {} makes it a private link; remove one", shown(c)));
        if (theirs.kind != mine.kind || c.host->pattern == n.host->pattern) return false;
        const bool says_nothing = covers(theirs, mine) && same_terms(theirs, mine) && theirs.expires >= mine.expires &&
                                  theirs.within == mine.within && theirs.addresses == mine.addresses;
        return says_nothing && tell(n, fmt::format("is open already: {} of {} takes it in on the same terms; remove one",
                                                   c.host->pattern.to_string(), shown(c)));
    }

    // Every place that names a pattern which takes in all that this one does.
    template <class Visit> void each_cover(const host_pattern& p, Visit visit)
    {
        std::string_view base = p.base.str();
        for (std::size_t up = 0;; ++up) {
            if (const auto found = by_base_.find(base); found != by_base_.end())
                for (const auto& n : found->second) {
                    if (++compared_ > limits::lint_comparisons) return;
                    if (takes_in(n.host->pattern.how, p.how, up) && visit(n)) return;
                }
            const auto dot = base.find('.');
            if (dot == base.npos || p.base.address()) return;
            base.remove_prefix(dot + 1);
        }
    }
    // A pattern whose base lies `up` labels above that of another.
    static bool takes_in(reach wide, reach narrow, std::size_t up) noexcept
    {
        if (wide == reach::any_depth) return up > 0 || narrow != reach::exact;
        if (wide == reach::one_label) return (up == 1 && narrow == reach::exact) || (up == 0 && narrow == reach::one_label);
        return up == 0 && narrow == reach::exact;
    }

    static std::string shown(const named& n) { return fmt::format("{} (line {})", as_shown(n.in->value.name), n.host->at.line); }
    bool tell(const named& n, const std::string& what)
    {
        wrong_.warning(n.host->at, fmt::format("{} {}", n.host->pattern.to_string(), what));
        return true;
    }

    findings& wrong_;
    std::unordered_map<std::string_view, std::vector<named>> by_base_;
    std::size_t compared_ = 0;
};

} // namespace

void lint_overlaps(const allowlist_draft& d, findings& wrong)
{
    overlaps all{d, wrong};
    for (const auto& e : d.entries) all.look(e);
}

} // namespace exeat::ops
