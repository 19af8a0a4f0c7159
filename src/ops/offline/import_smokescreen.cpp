#include <ops/offline/import_smokescreen.hpp>

#include <ops/offline/smokescreen_acl.hpp>
#include <ops/policy/host_overlap.hpp>
#include <ops/text/utc.hpp>

#include <algorithm>
#include <deque>
#include <fmt/format.h>
#include <map>

namespace exeat::ops {

namespace {

using hosts = std::vector<smokescreen_host>;

std::vector<host_pattern> patterns(const hosts& all)
{
    std::vector<host_pattern> out;
    for (const auto& h : all) out.push_back(h.pattern);
    return out;
}

// A list of hosts with an index for overlaps. Refers to the list.
class asked_hosts {
public:
    explicit asked_hosts(const hosts& all) : all_{all}, patterns_{patterns(all)}, index_{patterns_} {}
    const smokescreen_host* met(const host_pattern& p) const { return at(index_.meets(p)); }
    const smokescreen_host* covering(const host_pattern& p) const { return at(index_.covers(p)); }

private:
    const smokescreen_host* at(std::size_t i) const { return i == host_overlap::none ? nullptr : &all_[i]; }

    const hosts& all_;
    const std::vector<host_pattern> patterns_;
    const host_overlap index_;
};

std::vector<std::string> written(const hosts& all)
{
    std::vector<std::string> out;
    for (const auto& h : all) out.push_back(h.pattern.to_string());
    std::sort(out.begin(), out.end());
    out.erase(std::unique(out.begin(), out.end()), out.end());
    return out;
}

class converter {
public:
    converter(smokescreen_acl acl, const import_wishes& wishes, diagnostics& wrong) : acl_{std::move(acl)}, wishes_{wishes}, wrong_{wrong}
    {}

    imported_list convert() &&
    {
        drop_denied_globals();
        for (const auto& r : acl_.roles) add_group(r);
        for (std::size_t i = 0; i < acl_.roles.size(); ++i) add_role(i);
        if (!acl_.global_allow.empty()) add("global-allow", acl_.global_allow, {}, "global_allow_list");
        add_denies();
        return std::move(out_);
    }

private:
    // Smokescreen checks the deny list before the global allow list, so these hosts were never open.
    void drop_denied_globals()
    {
        const asked_hosts denied{acl_.global_deny};
        std::erase_if(acl_.global_allow, [&](const smokescreen_host& g) {
            const auto* by = denied.covering(g.pattern);
            if (by != nullptr)
                wrong_.warning(g.at, fmt::format("{} is on global_deny_list too (line {}), which goes first: left out",
                                                 g.pattern.to_string(), by->at.line));
            return by != nullptr;
        });
    }

    void add_group(const smokescreen_role& r)
    {
        const auto name = label_for(r.name, group_names_);
        group_names_.push_back(name);
        if (name != r.name) wrong_.warning(r.at, fmt::format("the group of service {} is called '{}'", as_shown(r.name), name));
        auto sources = wishes_.sources.find(r.name);
        if (sources == wishes_.sources.end()) sources = wishes_.sources.find(name);
        imported_group g{name, r.name, {}, false};
        if (sources != wishes_.sources.end()) g.sources = sources->second;
        else
            wrong_.warning(r.at, fmt::format("who {} is, is known there by certificate or header and here by address: write the sources of "
                                             "[groups.{}], or import with --sources {}=NETWORK",
                                             r.is_default ? "every other role" : as_shown(r.name), name, name));
        out_.groups.push_back(std::move(g));
    }

    void add_role(std::size_t i)
    {
        const auto& r = acl_.roles[i];
        if (r.action == "open")
            wrong_.error(r.at, fmt::format("action open of service {}: there everything is open to it, here only its allowed_domains; name "
                                           "what it needs",
                                           as_shown(r.name)));
        if (r.action == "report") add_report(r, out_.groups[i]);
        if (r.hosts.empty()) return;
        add(group_names_[i], r.hosts, {group_names_[i]}, r.is_default ? "default" : "service " + r.name);
        if (!r.project.empty()) out_.entries.back().owner = r.project;
    }

    void add_report(const smokescreen_role& r, imported_group& g)
    {
        g.report = wishes_.report_until != never;
        if (g.report)
            wrong_.warning(r.at, fmt::format("action report of service {} holds until {}; after that only its allowed_domains are open",
                                             as_shown(r.name), utc(wishes_.report_until)));
        else
            wrong_.error(r.at, fmt::format("action report of service {}: there everything is open to it, here only its allowed_domains; "
                                           "--report-days puts its group into report mode for at most 14 days",
                                           as_shown(r.name)));
    }

    void add(std::string_view name, const hosts& all, std::vector<std::string> groups, const std::string& of)
    {
        imported_entry e;
        e.name = label_for(name, taken_);
        taken_.push_back(e.name);
        taken_.push_back(e.name + "-http");
        e.hosts = written(all);
        e.groups = std::move(groups);
        e.owner = wishes_.owner;
        e.reason = fmt::format("{} of {}", of, wishes_.from);
        out_.entries.push_back(std::move(e));
    }

    // Returns the roles that need this deny. Smokescreen checks a role's own hosts before the deny list, exeat checks a deny before
    // everything. A role with such hosts of its own does not need the deny, because what no entry names is closed to it anyway, unless the
    // global allow list opens a part of it.
    std::vector<std::size_t> roles_denied(const smokescreen_host& d, const std::deque<asked_hosts>& owns, const asked_hosts& globals)
    {
        const auto* global = globals.met(d.pattern);
        std::vector<std::size_t> out;
        for (std::size_t i = 0; i < owns.size(); ++i) {
            const auto* own = owns[i].met(d.pattern);
            if (own == nullptr || global != nullptr) out.push_back(i);
            if (own != nullptr && global != nullptr) tell_of_conflict(d, *own, *global, acl_.roles[i]);
        }
        return out;
    }

    void tell_of_conflict(const smokescreen_host& d, const smokescreen_host& own, const smokescreen_host& global, const smokescreen_role& r)
    {
        wrong_.error(own.at,
                     fmt::format("{} is open to {} there; here {} of global_deny_list (line {}) closes what of it they share, for "
                                 "{} of global_allow_list would open that to all; name hosts that do not overlap",
                                 own.pattern.to_string(), as_shown(r.name), d.pattern.to_string(), d.at.line, global.pattern.to_string()));
    }

    void add_denies()
    {
        std::deque<asked_hosts> owns;
        for (const auto& r : acl_.roles) owns.emplace_back(r.hosts);
        const asked_hosts globals{acl_.global_allow};
        std::map<std::vector<std::size_t>, hosts> by_roles;
        for (const auto& d : acl_.global_deny) {
            auto roles = roles_denied(d, owns, globals);
            if (!roles.empty() || acl_.roles.empty()) by_roles[std::move(roles)].push_back(d);
            else
                wrong_.warning(
                    d.at, fmt::format("{} of global_deny_list is open to every role by its own list: left out", d.pattern.to_string()));
        }
        for (const auto& [roles, denied] : by_roles) add_deny(roles, denied);
        if (!acl_.denied_networks.empty()) add_denied_networks();
    }

    void add_denied_networks()
    {
        add("global-deny-networks", {}, {}, "global_deny_list");
        out_.entries.back().kind = rule_kind::deny;
        for (const auto& n : acl_.denied_networks) out_.entries.back().hosts.push_back(n.to_string());
    }

    void add_deny(const std::vector<std::size_t>& roles, const hosts& denied)
    {
        std::vector<std::string> groups;
        if (roles.size() < acl_.roles.size())
            for (const auto i : roles) groups.push_back(group_names_[i]);
        add("global-deny", denied, std::move(groups), "global_deny_list");
        out_.entries.back().kind = rule_kind::deny;
    }

    smokescreen_acl acl_;
    const import_wishes& wishes_;
    diagnostics& wrong_;
    imported_list out_;
    std::vector<std::string> group_names_, taken_;
};

} // namespace

std::optional<imported_list> import_smokescreen(const std::string& text, const import_wishes& wishes, diagnostics& wrong)
{
    auto acl = read_smokescreen_acl(text, wrong);
    if (!acl) return std::nullopt;
    return converter{std::move(*acl), wishes, wrong}.convert();
}

} // namespace exeat::ops
