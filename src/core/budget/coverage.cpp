#include <exeat/budget/accounts.hpp>

#include "../names/name_hash.hpp"
#include "coverage_marks.hpp"
#include "each_pattern.hpp"

#include <algorithm>

namespace exeat {

namespace {

std::uint64_t terms_of(const rule& r, const policy& rules)
{
    name_hash h{rules.digest_of(r.groups)};
    h.absorb(to_string(r.kind));
    h.absorb(to_string(r.protocol));
    return h.whole();
}

bool lets_out(const rule& r, wall_time now) noexcept { return r.kind != rule_kind::deny && now < r.expires; }

} // namespace

account_id client_account(const rule& r, const policy_settings& s)
{
    if (!r.upload && !s.upload) return {budget_key::scope::client_at_purpose, static_cast<std::uint64_t>(r.purpose)};
    return {budget_key::scope::client_at_entry, shared_account(r).what};
}

// The prefix prevents collisions with entries: no entry's name contains a colon.
account_id shared_account(const rule& r)
{
    return {budget_key::scope::entry, r.account.empty() ? r.id : budget_key::id_of("account:" + r.account)};
}

bool holding::takes_in(const holding& other) const
{
    return client == other.client && shared == other.shared && entry == other.entry &&
           std::includes(ports.begin(), ports.end(), other.ports.begin(), other.ports.end());
}

coverage coverage_of(const policy& rules, wall_time now)
{
    coverage out;
    for (const auto& r : rules.rules())
        if (lets_out(r, now))
            out.holdings.push_back(
                {client_account(r, rules.settings()), shared_account(r), r.id, r.ports, terms_of(r, rules), rules.digest_of(r.groups)});
    out.clients = rules.memberships();
    each_pattern(rules, out.holdings, [&](const host_marks& p, std::size_t index) {
        p.each_own([&](std::uint64_t hash) { out.marks.push_back(hash | index); });
    });
    make_set(out.marks);
    out.marks.shrink_to_fit();
    return out;
}

} // namespace exeat
