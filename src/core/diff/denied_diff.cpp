#include "denied_diff.hpp"

#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <string>

namespace exeat {

namespace {

constexpr std::uint16_t every_port = 0; // no deny names port 0

struct range {
    ip_address first, last;
};

// For any address except the lowest.
ip_address one_before(ip_address a) noexcept
{
    for (auto i = a.octets.rbegin(); i != a.octets.rend(); ++i)
        if ((*i)-- != 0) break;
    return a;
}

// The widest network that begins at `first` and ends at `last` or before it.
ip_prefix widest_from(const ip_address& first, const ip_address& last) noexcept
{
    ip_prefix out{first, whole_address};
    while (out.bits > 0) {
        const auto wider = ip_prefix::around(first, static_cast<std::uint8_t>(out.bits - 1));
        if (wider.network != first || wider.last() > last) break;
        out = wider;
    }
    return out;
}

// The fewest networks that together are the range from `first` to `last`.
std::vector<ip_prefix> networks_of(const range& r)
{
    std::vector<ip_prefix> out{widest_from(r.first, r.last)};
    for (auto next = first_after(out.back()); next && *next <= r.last; next = first_after(out.back()))
        out.push_back(widest_from(*next, r.last));
    return out;
}

// The change for an address, at one port or at every port except some.
struct denied_change {
    change_kind what;
    const rule *before, *after;
    std::uint16_t port;
    std::vector<std::uint16_t> but;
    auto operator<=>(const denied_change&) const = default;
};

class denied_comparison {
public:
    denied_comparison(const policy& before, const policy& after) : before_{before}, after_{after}
    {
        for (const auto* p : {&before_, &after_})
            for (const auto& e : p->denied().all()) {
                begins_.insert(e.network.network);
                if (const auto next = first_after(e.network)) begins_.insert(*next);
                ports_.insert(p->rules()[e.rule].ports.begin(), p->rules()[e.rule].ports.end());
            }
    }

    std::vector<policy_change> run(const std::pair<client, client>& who, std::size_t clients) const
    {
        std::vector<policy_change> out;
        for (const auto& [c, ranges] : changes(who))
            for (const auto& r : ranges)
                for (const auto& n : networks_of(r)) {
                    const auto text = n.bits == whole_address ? n.network.to_string() : n.to_string();
                    const auto term = c.what == change_kind::opens ? "no longer denied" : "denied as addresses";
                    out.push_back({c.what, clients, text, c.port, c.but, c.before, c.after, {term}});
                }
        return out;
    }

private:
    // The ranges of each change; adjacent parts are joined.
    std::map<denied_change, std::vector<range>> changes(const std::pair<client, client>& who) const
    {
        std::map<denied_change, std::vector<range>> out;
        for (auto part = begins_.begin(); part != begins_.end(); ++part) {
            const auto next = std::next(part);
            const auto last = next == begins_.end() ? ip_prefix{{}, 0}.last() : one_before(*next);
            for (auto& change : changes_at(*part, who)) {
                auto& ranges = out[std::move(change)];
                const bool follows = !ranges.empty() && ranges.back().last == one_before(*part);
                if (follows) ranges.back().last = last;
                else ranges.push_back({*part, last});
            }
        }
        return out;
    }

    std::vector<denied_change> changes_at(const ip_address& a, const std::pair<client, client>& who) const
    {
        std::vector<denied_change> out;
        auto anywhere = change_at(a, every_port, who);
        for (const auto port : ports_) {
            auto here = change_at(a, port, who);
            const bool as_anywhere = here.has_value() == anywhere.has_value() && (!here || here->what == anywhere->what);
            if (as_anywhere) continue;
            if (anywhere) anywhere->but.push_back(port);
            if (here) out.push_back(std::move(*here));
        }
        if (anywhere) out.push_back(std::move(*anywhere));
        return out;
    }

    std::optional<denied_change> change_at(const ip_address& a, std::uint16_t port, const std::pair<client, client>& who) const
    {
        const auto *was = before_.denies(who.first.groups, port, a), *is = after_.denies(who.second.groups, port, a);
        if ((was == nullptr) == (is == nullptr)) return std::nullopt;
        return denied_change{was != nullptr ? change_kind::opens : change_kind::closes, was, is, port, {}};
    }

    const policy &before_, &after_;
    std::set<ip_address> begins_; // starts of the parts: no deny of either policy distinguishes two addresses of one part
    std::set<std::uint16_t> ports_;
};

} // namespace

std::optional<ip_address> first_after(const ip_prefix& p) noexcept
{
    auto a = p.last();
    for (auto i = a.octets.rbegin(); i != a.octets.rend(); ++i)
        if (++*i != 0) return a;
    return std::nullopt;
}

void compare_denied(const policy& before, const policy& after, const clients_before_and_after& asking, std::vector<policy_change>& out)
{
    const denied_comparison compared{before, after};
    for (std::size_t c = 0; c < asking.size(); ++c) {
        auto changes = compared.run(asking[c], c);
        std::move(changes.begin(), changes.end(), std::back_inserter(out));
    }
}

} // namespace exeat
