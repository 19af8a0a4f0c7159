// Lists that follow each other, and what inherits from what.
#pragma once

#include "small_policy.hpp"

#include <exeat/budget/accounts.hpp>

#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace exeat::testing {
inline namespace policies {

using names = std::set<std::pair<std::string, std::string>>;
inline constexpr upload_limits small{{1'000, unlimited, unlimited}, false};

inline entry with_budget(std::string name, std::vector<std::string> hosts, std::vector<std::uint16_t> ports = {443})
{
    auto e = allow(std::move(name), std::move(hosts));
    e.value.upload = small;
    e.value.ports = std::move(ports);
    return e;
}

inline entry sharing(std::string account, entry e)
{
    e.value.account = std::move(account);
    return e;
}

// A history that lists follow each other in.
struct lists {
    account_history history;
    wall_time at = now;
    std::set<std::uint64_t> used{}; // entries that somebody sent to

    account_heirs next(const policy& p)
    {
        auto c = coverage_of(p, at);
        auto heirs = history.heirs_under(p, c, at);
        history.adopt(std::move(c), at, [this](const holding& h) { return used.contains(h.entry); });
        return heirs;
    }
    account_heirs next(const std::vector<entry>& all) { return next(compiled(all)); }

    // The entries' names, where every entry has a budget of its own.
    names entries(const std::vector<entry>& all, const std::vector<group>& groups = three_groups)
    {
        const auto heirs = next(compiled(all, {}, groups));
        for (const auto& e : all) known.push_back(e.value.name);
        names out, of_accounts, of_totals;
        of_moved.clear();
        for (const auto& h : heirs.entries.all()) (h.of_moved ? of_moved : out).emplace(name_of(h.from), name_of(h.to));
        for (const auto& h : heirs.uploads.all())
            if (!h.of_moved)
                (h.from.of == budget_key::scope::entry ? of_totals : of_accounts).emplace(name_of(h.from.what), name_of(h.to.what));
        CHECK(out == of_accounts);
        CHECK(out == of_totals);
        return out;
    }
    std::string name_of(std::uint64_t id) const
    {
        for (const auto& k : known)
            if (budget_key::id_of(k) == id || budget_key::id_of("account:" + k) == id) return k;
        return "?";
    }
    std::vector<std::string> known;
    names of_moved; // what clients in other groups inherit besides
};

} // namespace policies
} // namespace exeat::testing
