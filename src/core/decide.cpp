#include <exeat/policy.hpp>

namespace exeat {

namespace {

bool takes(const rule& r, approach via) noexcept
{
    switch (via) {
    case approach::tunnel: return true;
    case approach::tls: return r.protocol == protocol::tls;
    case approach::http: return r.protocol == protocol::http;
    }
    return false;
}

// How close a rule comes to allowing the request. A CONNECT that matches an entry for plain HTTP is read as HTTP inside, unless another
// entry for the same place accepts any content.
enum class nearness : std::uint8_t { elsewhere, wrong_port, wrong_protocol, expired, allows_inside, allows };

nearness nearness_of(const rule& r, const client& who, const target& to, wall_time now) noexcept
{
    if ((r.groups & who.groups).none()) return nearness::elsewhere;
    if (!r.takes(to.port)) return nearness::wrong_port;
    if (!takes(r, to.via)) return nearness::wrong_protocol;
    if (now >= r.expires) return nearness::expired;
    return to.via == approach::tunnel && r.protocol == protocol::http ? nearness::allows_inside : nearness::allows;
}

// The nearest of the rules seen; of equals the first, which is the most specific.
struct nearest {
    const rule* by = nullptr;
    nearness how = nearness::elsewhere;
    bool by_wildcard = false;

    void consider(const rule& r, bool wildcard, const client& who, const target& to, wall_time now) noexcept
    {
        if (how == nearness::allows) return;
        if (const auto n = nearness_of(r, who, to, now); n > how) by = &r, how = n, by_wildcard = wildcard;
    }
};

verdict reason(nearness how, const target& to) noexcept
{
    switch (how) {
    case nearness::allows_inside:
    case nearness::allows: return verdict::allowed;
    case nearness::expired: return verdict::expired;
    case nearness::wrong_protocol: return verdict::protocol_not_allowed;
    case nearness::wrong_port: return verdict::port_not_allowed;
    case nearness::elsewhere: break;
    }
    return to.host.address() ? verdict::ip_literal : verdict::not_allowed;
}

struct survey {
    const rule* denied = nullptr;
    bool linked = false; // a private_link names the host: it overrides every allow, whatever its groups
    nearest allow, link;

    const nearest& best() const noexcept { return linked ? link : allow; }
};

survey look_at(const client& who, const target& to, const std::vector<rule>& all, const name_index& names, wall_time now)
{
    survey seen;
    names.match(to.host.str(), [&](std::span<const rule_index> rules, host_pattern::reach how) {
        const bool wildcard = how != host_pattern::reach::exact;
        for (const auto i : rules) {
            const rule& r = all[i];
            switch (r.kind) {
            case rule_kind::deny:
                if (r.denies(who.groups, to.port)) seen.denied = &r;
                break;
            case rule_kind::private_link:
                seen.linked = true;
                seen.link.consider(r, wildcard, who, to, now);
                break;
            case rule_kind::allow: seen.allow.consider(r, wildcard, who, to, now); break;
            }
            if (seen.denied != nullptr) return false;
        }
        return true;
    });
    return seen;
}

decision refused(verdict why, const rule* by = nullptr)
{
    return {.verdict = why, .rule = by, .approval = {}, .reported = verdict::allowed, .by_wildcard = false};
}

} // namespace

decision decide(const client& who, const target& to, const policy& rules, wall_time now)
{
    if (now >= rules.settings_.expires) return refused(verdict::policy_expired);
    if (who.groups.none()) return refused(verdict::source_not_allowed);
    const auto seen = look_at(who, to, rules.rules_, rules.names_, now);
    if (seen.denied != nullptr) return refused(verdict::denied_by_rule, seen.denied);
    if (const auto& address = to.host.address())
        if (const auto* by = rules.denies(who.groups, to.port, *address)) return refused(verdict::denied_by_rule, by);

    const auto& best = seen.best();
    const auto why = reason(best.how, to);
    if (why == verdict::allowed)
        return {.verdict = why,
                .rule = best.by,
                .approval = approval{to, *best.by, rules, who.groups},
                .reported = why,
                .by_wildcard = best.by_wildcard};

    // A private_link never falls back to a public address, and with an address there is no name to check the traffic against: report mode
    // lets neither pass.
    if (!reportable(why) || seen.linked || to.host.address() || !rules.reporting(who.groups, now)) return refused(why, best.by);
    const rule& by = to.via == approach::http ? rules.reported_http_ : rules.reported_tls_;
    return {
        .verdict = verdict::allowed, .rule = &by, .approval = approval{to, by, rules, who.groups}, .reported = why, .by_wildcard = false};
}

} // namespace exeat
