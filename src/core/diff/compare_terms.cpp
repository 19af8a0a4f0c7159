#include "compare_terms.hpp"

#include <exeat/enum_array.hpp>

#include <algorithm>
#include <functional>

namespace exeat {

namespace {

// The effective limit of each window: no more than a longer window allows, and no more than consecutive shorter windows allow.
per_window<std::uint64_t> most_of(const upload_limits& u) noexcept
{
    constexpr per_window<std::uint64_t> hours{1, 24, 168};
    auto out = u.most;
    for (std::size_t w = 0; w < out.size(); ++w)
        for (std::size_t v = 0; v < out.size(); ++v) {
            const auto times = v < w ? hours[w] / hours[v] : 1;
            if (u.most[v] < unlimited / times) out[w] = std::min(out[w], u.most[v] * times);
        }
    return out;
}

void compare_budgets(const upload_limits& a, const upload_limits& b, const std::string& of, std::vector<std::string>& wider,
                     std::vector<std::string>& narrower)
{
    const auto was = most_of(a), is = most_of(b);
    const auto more = [](const auto& x, const auto& than) { // in any window
        return std::mismatch(x.begin(), x.end(), than.begin(), std::less_equal{}).first != x.end();
    };
    const auto limited = [](const auto& x) { return std::any_of(x.begin(), x.end(), [](auto most) { return most < unlimited; }); };
    if (more(is, was) || (b.excess && !a.excess && limited(was))) wider.push_back(of + " more");
    if (more(was, is) || (a.excess && !b.excess && limited(is))) narrower.push_back(of + " less");
}

upload_limits budget_of(const rule_in_list& r) { return r.by.upload ? *r.by.upload : r.of.upload.value_or(default_upload(r.by.purpose)); }

// Of all pods of a service account.
upload_limits identity_budget_of(const rule_in_list& r)
{
    return r.by.upload_identity ? *r.by.upload_identity : budget_of(r).times(r.instances);
}

// Compares the terms of two rules from the point of view of a reviewer who wants them tight: more is wider.
void compare_entries(const rule_in_list& before, const rule_in_list& after, bool by_wildcard, std::vector<std::string>& wider,
                     std::vector<std::string>& narrower)
{
    const rule &a = before.by, &b = after.by;
    const auto note = [&](bool widens, bool narrows, std::string_view what, std::string_view more, std::string_view less) {
        if (widens) wider.push_back(std::string{what} + ' ' + std::string{more});
        if (narrows) narrower.push_back(std::string{what} + ' ' + std::string{less});
    };
    note(b.expires > a.expires, b.expires < a.expires, "expires", "later", "earlier");
    constexpr enum_array<ech_policy, std::string_view, 3> ech{"denied", "for GREASE", "allowed"};
    const auto now_ech = ech[b.ech];
    note(b.ech > a.ech, b.ech < a.ech, "ech", now_ech, now_ech);
    note(b.protocol == protocol::tcp && a.protocol != protocol::tcp, a.protocol == protocol::tcp && b.protocol != protocol::tcp, "protocol",
         "raw instead of tls", "tls instead of raw");
    const auto age = [](const rule& r) { return r.max_age.count() == 0 ? std::chrono::seconds::max() : r.max_age; };
    note(age(b) > age(a), age(b) < age(a), "max_age", "longer", "shorter");
    // With separate accounts, each may upload what both could upload together before.
    note(!a.account.empty() && a.account != b.account, a.account.empty() && !b.account.empty(), "account",
         b.account.empty() ? "its own instead of a shared one" : "another", "shared instead of its own");
    compare_budgets(a.upload_total, b.upload_total, "upload_total", wider, narrower);
    const auto spent = budget_action_words[b.on_budget];
    note(b.on_budget > a.on_budget, b.on_budget < a.on_budget, "on_budget", spent, spent);
    if (by_wildcard && a.wildcard_names == b.wildcard_names) // all pods of a service account share so many
        note(after.instances > before.instances, after.instances < before.instances, "names", "more", "fewer");
    if (by_wildcard) note(b.wildcard_names > a.wildcard_names, b.wildcard_names < a.wildcard_names, "names", "more", "fewer");
    note(a.purpose != b.purpose && b.purpose > a.purpose, a.purpose != b.purpose && b.purpose < a.purpose, "purpose", to_string(b.purpose),
         to_string(b.purpose));
    note(a.kind == rule_kind::private_link && b.kind == rule_kind::allow, a.kind == rule_kind::allow && b.kind == rule_kind::private_link,
         "addresses", "public instead of private", "private instead of public");
}

bool lies_in(const ip_prefix& p, const rule& r)
{
    return std::any_of(r.within.begin(), r.within.end(), [&](const ip_prefix& w) { return w.contains(p.network) && w.bits <= p.bits; });
}

// Whether the addresses of `to`, the pinned ones or else its subnets, are all among those of `than`.
bool leads_no_further(const rule& to, const rule& than)
{
    if (!to.addresses.empty())
        return std::all_of(to.addresses.begin(), to.addresses.end(), [&](const ip_address& a) {
            return than.addresses.empty() ? lies_in({a, 128}, than)
                                          : std::find(than.addresses.begin(), than.addresses.end(), a) != than.addresses.end();
        });
    return than.addresses.empty() && std::all_of(to.within.begin(), to.within.end(), [&](const ip_prefix& p) { return lies_in(p, than); });
}

void compare_links(const rule& a, const rule& b, std::vector<std::string>& wider, std::vector<std::string>& narrower)
{
    if (a.kind != rule_kind::private_link || b.kind != rule_kind::private_link) return;
    if (a.within == b.within && a.addresses == b.addresses) return;
    if (!leads_no_further(b, a)) wider.push_back("addresses others or more");
    else if (!leads_no_further(a, b)) narrower.push_back("addresses fewer");
}

} // namespace

changed_terms compare_terms(const rule_in_list& before, const rule_in_list& after, bool by_wildcard)
{
    changed_terms out;
    compare_budgets(budget_of(before), budget_of(after), "upload", out.wider, out.narrower);
    const bool by_number = before.instances != after.instances || before.by.upload_identity || after.by.upload_identity;
    if (by_number) compare_budgets(identity_budget_of(before), identity_budget_of(after), "upload_identity", out.wider, out.narrower);
    compare_entries(before, after, by_wildcard, out.wider, out.narrower);
    compare_links(before.by, after.by, out.wider, out.narrower);
    return out;
}

} // namespace exeat
