#include <ops/policy/lint.hpp>
#include <ops/text/quantity.hpp>

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

// Whether `wide` applies to all clients and ports of `narrow`.
bool covers(const rule& wide, const rule& narrow) noexcept
{
    return (narrow.groups & ~wide.groups).none() && covers(wide.ports, narrow.ports);
}
bool overlap(const rule& a, const rule& b) noexcept { return (a.groups & b.groups).any() && share(a.ports, b.ports); }

// Whether a host has the same terms in both entries: then one of the two is redundant.
bool same_terms(const rule& a, const rule& b) noexcept
{
    return a.protocol == b.protocol && a.purpose == b.purpose && a.ech == b.ech && a.wildcard_names == b.wildcard_names &&
           a.max_age == b.max_age;
}

std::string budget_text(const rule& r)
{
    if (!r.upload) return "the default";
    std::string out;
    for (std::size_t w = 0; w < budget_windows; ++w)
        if (r.upload->most[w] < unlimited)
            out += fmt::format("{}{}/{}", out.empty() ? "" : " and ", exact_size(r.upload->most[w]), budget_window_words[w]);
    return out;
}

// Says which budget applies, if they differ.
std::string budgets_of(const rule& first, const rule& later)
{
    if (first.upload == later.upload && first.upload_total == later.upload_total && first.purpose == later.purpose) return {};
    return fmt::format(", so its budget counts (upload {}) and not this one's (upload {})", budget_text(first), budget_text(later));
}

struct named { // one mention of a host in an entry
    const entry* in;
    const located_host* host;
};

class overlaps {
public:
    overlaps(const allowlist_draft& d, diagnostics& wrong) : wrong_{wrong}
    {
        for (const auto& e : d.entries) {
            for (const auto& h : e.hosts) {
                by_base_[h.pattern.base.str()].push_back({&e, &h});
                if (e.value.kind == rule_kind::deny && h.pattern.base.address())
                    denied_.push_back({&e, {{*h.pattern.base.address(), whole_address}, h.at}});
            }
            for (const auto& n : e.networks) denied_.push_back({&e, n});
        }
    }
    void look(const entry& e)
    {
        for (const auto& h : e.hosts) look({&e, &h});
        if (e.value.kind == rule_kind::deny) return look_at_networks(e);
        for (const auto& h : e.hosts)
            if (h.pattern.base.address()) look_at_address(e, {*h.pattern.base.address(), whole_address}, h.at, h.pattern.to_string());
        for (const auto& a : e.value.addresses) look_at_address(e, {a, whole_address}, {e.value.line, 1}, a.to_string());
        for (const auto& p : e.value.within) look_at_address(e, p, {e.value.line, 1}, p.to_string());
    }

private:
    struct denial {
        const entry* by;
        located_network what;
    };

    // Reports a network of a deny that is in a network of an earlier line.
    void look_at_networks(const entry& e)
    {
        for (auto n = e.networks.begin(); n != e.networks.end(); ++n) {
            const auto around = std::find_if(e.networks.begin(), n, [&](const located_network& o) {
                return ++compared_ <= limits::lint_comparisons && takes_in(o.network, n->network);
            });
            if (around == n) continue;
            wrong_.warning(n->at, fmt::format("{} lies in {} of this entry (line {}); remove one", n->network.to_string(),
                                              around->network.to_string(), around->at.line));
        }
    }
    // Reports an address, or a network of a private link, that a deny covers.
    void look_at_address(const entry& e, const ip_prefix& p, place at, const std::string& shown_as)
    {
        for (const auto& d : denied_) {
            if (++compared_ > limits::lint_comparisons) return;
            const bool whole = takes_in(d.what.network, p) && covers(d.by->value, e.value);
            const bool twin = d.what.network == p && d.what.network.bits == whole_address && !e.hosts.empty() && e.value.addresses.empty();
            if (!whole || twin) continue; // a twin is reported as a host
            return wrong_.warning(at, fmt::format("{} never opens: {} (line {}) denies {} for all these groups and ports; remove one",
                                                  shown_as, as_shown(d.by->value.name), d.what.at.line, d.what.network.to_string()));
        }
    }
    static bool takes_in(const ip_prefix& wide, const ip_prefix& narrow) noexcept
    {
        return wide.bits <= narrow.bits && wide.contains(narrow.network);
    }

    void look(const named& n)
    {
        if (tell_of_twin(n) || n.in->value.kind == rule_kind::deny) return;
        bool told = false;
        each_cover(n.host->pattern, [&](const named& c) {
            told = tell_of_cover(n, c);
            return told;
        });
    }

    // Reports a pattern that was named before.
    bool tell_of_twin(const named& n)
    {
        for (const auto& other : by_base_.at(n.host->pattern.base.str())) {
            if (other.host == n.host) return false;
            if (other.host->pattern != n.host->pattern || other.in->value.kind != n.in->value.kind) continue;
            if (other.in == n.in)
                return tell(n, fmt::format("is listed twice in this entry (line {} too); remove one", other.host->at.line));
            if (n.in->value.kind == rule_kind::deny || other.in->value.protocol != n.in->value.protocol) continue;
            if (covers(other.in->value, n.in->value))
                return tell(n, fmt::format("is shadowed by {}, which comes first and takes it for all these groups and ports{}; remove one",
                                           shown(other), budgets_of(other.in->value, n.in->value)));
            if (overlap(other.in->value, n.in->value))
                return tell(
                    n, fmt::format(
                           "is named by {} too, which comes first and decides for the groups and ports that both take{}; name each host in "
                           "one entry, or give the entries different groups or ports",
                           shown(other), budgets_of(other.in->value, n.in->value)));
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

    // Visits every mention of a pattern that includes all hosts of this one, until `visit` returns true.
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
    // Whether a pattern includes another one; the base of the first is `up` labels above that of the second.
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

    diagnostics& wrong_;
    std::unordered_map<std::string_view, std::vector<named>> by_base_;
    std::vector<denial> denied_; // addresses and networks of all denies
    std::size_t compared_ = 0;
};

} // namespace

void lint_overlaps(const allowlist_draft& d, diagnostics& wrong)
{
    overlaps all{d, wrong};
    for (const auto& e : d.entries) all.look(e);
}

} // namespace exeat::ops
