#include <ops/policy/lint.hpp>

#include <exeat/address_class.hpp>
#include <ops/policy/shared_suffixes.hpp>
#include <ops/text/utc.hpp>

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

void lint_answerable(const entry& e, diagnostics& wrong)
{
    const rule& r = e.value;
    if (r.name.empty()) return; // reported as an error elsewhere
    constexpr std::string_view owner = "owner = \"a team\"", reason = "reason = \"what for\"";
    if (r.owner.empty() && r.reason.empty())
        wrong.warning(place_of(e), fmt::format("nobody answers for {}; add {} and {}", as_shown(r.name), owner, reason));
    else if (r.owner.empty() || r.reason.empty())
        wrong.warning(place_of(e),
                      fmt::format("{} does not say {}; add {}", as_shown(r.name), r.owner.empty() ? "who answers for it" : "what it is for",
                                  r.owner.empty() ? owner : reason));
}

void lint_expiry(const entry& e, wall_time now, diagnostics& wrong)
{
    if (e.value.expires > now && e.value.expires <= now + limits::expiry_notice)
        wrong.warning(place_of(e),
                      fmt::format("{} ends {}; renew 'expires' or let it go", as_shown(e.value.name), days_left(e.value.expires, now)));
}

// On a shared host, real ECH could hide the name of another tenant.
void lint_ech(const entry& e, const located_host& h, diagnostics& wrong)
{
    const auto what = e.value.ech == ech_policy::deny || !e.shared_suffix.empty() ? std::string_view{} : shared_around(h.pattern);
    if (!what.empty())
        wrong.warning(
            h.at, fmt::format("{} is a place of many tenants ({}), so under ech = \"{}\" a client can hide another tenant's name; use a "
                              "host of one owner, or ech = \"deny\", or say why in shared_suffix = \"…\"",
                              h.pattern.to_string(), what, ech_policy_words[e.value.ech]));
}

void lint_hosts(const entry& e, diagnostics& wrong, const site_networks& site)
{
    for (const auto& h : e.hosts) {
        if (const auto what = shared_host(h.pattern); !what.empty() && e.shared_suffix.empty())
            wrong.warning(
                h.at, fmt::format("many tenants share {} ({}), the attacker's among them; use a private endpoint or a host of your own, or "
                                  "say why in shared_suffix = \"…\"",
                                  h.pattern.to_string(), what));
        lint_ech(e, h, wrong);
        const auto& address = h.pattern.base.address();
        if (!address || e.value.kind != rule_kind::allow) continue;
        if (const auto of = classify(*address, site).of; of != address_class::global && classify(*address) == address_class::global)
            wrong.warning(h.at, fmt::format("{} is {} at this site ([network] of exeat.toml), which an [[allow]] cannot open; use a "
                                            "[[private_link]]",
                                            h.pattern.to_string(), to_string(of)));
        else wrong.warning(h.at, fmt::format("{} is an address: what answers there can change unseen; use a name", h.pattern.to_string()));
    }
}

// Reports a deny of addresses that denies everything, or only what nothing opens anyway.
void lint_denied(const entry& e, const ip_prefix& p, place at, bool links, diagnostics& wrong, const site_networks& site)
{
    const auto text = p.bits == whole_address ? p.network.to_string() : p.to_string();
    const bool v4 = p == ip_prefix::parse("0.0.0.0/0");
    if (v4 || (p.bits <= 3 && p.contains(ip_prefix::parse("2000::/3")->network)))
        return wrong.warning(at,
                             fmt::format("{} of {} denies every {} address, so nothing is open there for its groups at its ports; name the "
                                         "networks that are meant",
                                         text, as_shown(e.value.name), v4 ? "IPv4" : "public IPv6"));
    const auto of = classify(p.network, site).of;
    if (of == address_class::global || of != classify(p.last(), site).of) return;
    const bool linkable = of == address_class::private_use || of == address_class::loopback;
    if (!linkable)
        return wrong.warning(at, fmt::format("{} of {} is {}, which no entry opens, so it is refused without this deny; remove it", text,
                                             as_shown(e.value.name), to_string(of)));
    if (!links)
        wrong.warning(at, fmt::format("{} of {} is {}, which only a [[private_link]] opens, and this file has none, so it is refused "
                                      "without this deny; remove it",
                                      text, as_shown(e.value.name), to_string(of)));
}

void lint_denied(const entry& e, bool links, diagnostics& wrong, const site_networks& site)
{
    for (const auto& h : e.hosts)
        if (const auto& address = h.pattern.base.address()) lint_denied(e, {*address, whole_address}, h.at, links, wrong, site);
    for (const auto& n : e.networks) lint_denied(e, n.network, n.at, links, wrong, site);
}

void lint_subnets(const entry& e, diagnostics& wrong, const site_networks& site, bool known)
{
    const auto tell = [&](place at, std::string text) { known ? wrong.error(at, std::move(text)) : wrong.warning(at, std::move(text)); };
    for (const auto& p : e.value.within)
        if (classify(p.network, site).of == address_class::global)
            tell(e.within_at, fmt::format("{} of {} is public; use [[allow]], or the endpoint's subnet, or name "
                                          "the network in [network] internal of exeat.toml where it is the site's own",
                                          p.to_string(), as_shown(e.value.name)));
    for (const auto& a : e.value.addresses)
        if (classify(a, site).of == address_class::global)
            tell(e.addresses_at,
                 fmt::format("{} of {} is public; use [[allow]], or the endpoint's address", a.to_string(), as_shown(e.value.name)));
}

// `exeat import` writes such a source for a group without known sources.
bool nobodys(const ip_prefix& p) noexcept
{
    return classify(p.network) == address_class::unspecified && classify(p.last()) == address_class::unspecified;
}

} // namespace

void lint_ends(const allowlist_draft& d, wall_time now, diagnostics& wrong)
{
    const auto& s = d.settings;
    const bool reporting = s.report_until > now && s.report_until != never; // without an end it is an error, which is reported elsewhere
    if (s.report && reporting)
        wrong.warning(
            {1, 1}, fmt::format("report mode is on: until {} what no entry names passes too; set mode = \"enforce\"", utc(s.report_until)));
    for (const auto& g : d.groups)
        if (g.report && reporting)
            wrong.warning({g.line, 1},
                          fmt::format("report mode is on for {}: until {} what no entry names passes too; set mode = \"enforce\"",
                                      as_shown(g.name), utc(s.report_until)));
    if (s.expires > now && s.expires <= now + limits::expiry_notice)
        wrong.warning({1, 1}, fmt::format("the list ends {}, and then everything is denied; renew 'expires'", days_left(s.expires, now)));
    for (const auto& e : d.entries)
        if (e.value.kind != rule_kind::deny) lint_expiry(e, now, wrong);
}

void lint_entries(const allowlist_draft& d, diagnostics& wrong, const site_networks& site, bool site_known)
{
    const bool links =
        std::any_of(d.entries.begin(), d.entries.end(), [](const entry& e) { return e.value.kind == rule_kind::private_link; });
    for (const auto& e : d.entries) {
        if (e.value.kind == rule_kind::deny) {
            lint_denied(e, links, wrong, site);
            continue;
        }
        lint_answerable(e, wrong);
        lint_hosts(e, wrong, site);
        lint_subnets(e, wrong, site, site_known);
    }
}

void lint_groups(const allowlist_draft& d, group_set used, diagnostics& wrong)
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
        const bool empty = std::all_of(g.sources.begin(), g.sources.end(), nobodys);
        if (empty && !g.sources.empty())
            wrong.warning({g.line, 1}, fmt::format("nobody is in group {}: {} is not a client's address; write the networks of its clients",
                                                   as_shown(g.name), g.sources.front().to_string()));
        if (!used[i])
            wrong.warning({g.line, 1}, fmt::format("no entry is for group {}; name it in 'groups' or remove it", as_shown(g.name)));
        for (const auto& p : g.sources) {
            if (p.network.is_v4() && p.bits == 96)
                wrong.warning({g.line, 1}, fmt::format("anybody who reaches the proxy is in group {}: {} takes in every IPv4 address; "
                                                       "write the networks of its clients",
                                                       as_shown(g.name), p.to_string()));
            if (!nobodys(p)) all.push_back({p, i});
        }
    }
    // Prefixes are nested or disjoint: in sorted order, each is compared with those that are still open.
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

void lint(const allowlist_draft& d, wall_time now, diagnostics& wrong, const group_set& for_groups, const site_networks& site,
          bool site_known)
{
    lint_ends(d, now, wrong);
    lint_entries(d, wrong, site, site_known);
    lint_groups(d, for_groups, wrong);
    lint_overlaps(d, wrong);
    lint_lookalikes(d, wrong);
}

} // namespace exeat::ops
