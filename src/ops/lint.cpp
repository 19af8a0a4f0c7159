#include <ops/lint.hpp>

#include <exeat/address_class.hpp>
#include <ops/shared_suffixes.hpp>
#include <ops/utc.hpp>

#include <algorithm>
#include <fmt/format.h>

namespace exeat::ops {

namespace {

place place_of(const entry& e) noexcept { return {e.value.line, 1}; }

std::string days_left(wall_time until, wall_time now)
{
    const auto days = std::chrono::ceil<std::chrono::days>(until - now).count();
    return days == 1 ? "within a day" : fmt::format("within {} days", days);
}

void lint_answerable(const entry& e, findings& wrong)
{
    const rule& r = e.value;
    constexpr std::string_view owner = "owner = \"a team\"", reason = "reason = \"what for\"";
    if (r.owner.empty() && r.reason.empty())
        wrong.warning(place_of(e), fmt::format("nobody answers for {}; add {} and {}", as_shown(r.name), owner, reason));
    else if (r.owner.empty() || r.reason.empty())
        wrong.warning(place_of(e),
                      fmt::format("{} does not say {}; add {}", as_shown(r.name), r.owner.empty() ? "who answers for it" : "what it is for",
                                  r.owner.empty() ? owner : reason));
}

void lint_expiry(const entry& e, wall_time now, findings& wrong)
{
    if (e.value.expires > now && e.value.expires <= now + limits::expiry_notice)
        wrong.warning(place_of(e),
                      fmt::format("{} ends {}; renew 'expires' or let it go", as_shown(e.value.name), days_left(e.value.expires, now)));
}

void lint_hosts(const entry& e, findings& wrong)
{
    for (const auto& h : e.hosts) {
        if (const auto what = shared_host(h.pattern); !what.empty() && e.shared_suffix.empty())
            wrong.warning(
                h.at, fmt::format("many tenants share {} ({}), the attacker's among them; use a private endpoint or a host of your own, or "
                                  "say why in shared_suffix = \"…\"",
                                  h.pattern.to_string(), what));
        if (h.pattern.base.address() && e.value.kind == rule_kind::allow)
            wrong.warning(h.at, fmt::format("{} is an address: what answers there can change unseen; use a name", h.pattern.to_string()));
    }
}

void lint_subnets(const entry& e, findings& wrong)
{
    for (const auto& p : e.value.within)
        if (classify(p.network) == address_class::global)
            wrong.warning(place_of(e),
                          fmt::format("{} of {} is public, and a private link is private; use [[allow]], or the endpoint's subnet",
                                      p.to_string(), as_shown(e.value.name)));
    for (const auto& a : e.value.addresses)
        if (classify(a) == address_class::global)
            wrong.warning(place_of(e),
                          fmt::format("{} of {} is public, and a private link is private; use [[allow]], or the endpoint's address",
                                      a.to_string(), as_shown(e.value.name)));
}

} // namespace

void lint_ends(const allowlist_draft& d, wall_time now, findings& wrong)
{
    const auto& s = d.settings;
    if (s.report && s.report_until > now)
        wrong.warning(
            {1, 1}, fmt::format("report mode is on: until {} what no entry names passes too; set mode = \"enforce\"", utc(s.report_until)));
    for (const auto& g : d.groups)
        if (g.report && s.report_until > now)
            wrong.warning({g.line, 1},
                          fmt::format("report mode is on for {}: until {} what no entry names passes too; set mode = \"enforce\"",
                                      as_shown(g.name), utc(s.report_until)));
    if (s.expires > now && s.expires <= now + limits::expiry_notice)
        wrong.warning({1, 1}, fmt::format("the list ends {}, and then everything is denied; renew 'expires'", days_left(s.expires, now)));
    for (const auto& e : d.entries)
        if (e.value.kind != rule_kind::deny) lint_expiry(e, now, wrong);
}

void lint_entries(const allowlist_draft& d, findings& wrong)
{
    for (const auto& e : d.entries) {
        if (e.value.kind == rule_kind::deny) continue;
        lint_answerable(e, wrong);
        lint_hosts(e, wrong);
        lint_subnets(e, wrong);
    }
}

void lint_groups(const allowlist_draft& d, group_set used, findings& wrong)
{
    struct range {
        ip_prefix network;
        std::size_t group;
    };
    std::vector<range> all;
    for (const auto& e : d.entries)
        if (e.value.kind != rule_kind::deny) used |= e.value.groups;
    for (std::size_t i = 0; i < d.groups.size(); ++i) {
        const auto& g = d.groups[i];
        if (!used[i])
            wrong.warning({g.line, 1}, fmt::format("no entry is for group {}; name it in 'groups' or remove it", as_shown(g.name)));
        for (const auto& p : g.sources) all.push_back({p, i});
    }
    // Prefixes are nested or disjoint: sorted, each is held against those that are still open.
    std::sort(all.begin(), all.end(), [](const range& a, const range& b) {
        return std::tie(a.network.network, a.network.bits, a.group) < std::tie(b.network.network, b.network.bits, b.group);
    });
    std::vector<const range*> open;
    for (const auto& r : all) {
        while (!open.empty() && !open.back()->network.contains(r.network.network)) open.pop_back();
        if (!open.empty() && open.back()->group != r.group) {
            const auto &inner = d.groups[r.group], &outer = d.groups[open.back()->group];
            wrong.warning({inner.line, 1},
                          fmt::format("{} of group {} lies in {} of group {}, so such a client is in both; narrow one if that is not meant",
                                      r.network.to_string(), as_shown(inner.name), open.back()->network.to_string(), as_shown(outer.name)));
        }
        open.push_back(&r);
    }
}

void lint(const allowlist_draft& d, wall_time now, findings& wrong, const group_set& for_groups)
{
    lint_ends(d, now, wrong);
    lint_entries(d, wrong);
    lint_groups(d, for_groups, wrong);
    lint_overlaps(d, wrong);
    lint_lookalikes(d, wrong);
}

} // namespace exeat::ops
