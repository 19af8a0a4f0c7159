#include <exeat/diff/policy_diff.hpp>

#include <exeat/enum_array.hpp>

#include "compare_terms.hpp"
#include "denied_diff.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <tuple>

namespace exeat {

namespace {

using reach = host_pattern::reach;

std::vector<std::string> names_of(const group_set& of, const policy& in)
{
    std::vector<std::string> out;
    for (std::size_t i = 0; i < in.groups().size(); ++i)
        if (of[i]) out.push_back(in.groups()[i].name);
    std::sort(out.begin(), out.end());
    return out;
}

// Pods of which the groups of both policies tell each from the others: one of each service account that they name, and one of another
// account in each namespace that they name. The first one is no pod.
std::vector<std::optional<pod>> pods_of(const policy& before, const policy& after_policy)
{
    std::set<std::string> accounts, spaces;
    for (const auto* p : {&before, &after_policy})
        for (const auto& g : p->groups()) {
            accounts.insert(g.workloads.service_accounts.begin(), g.workloads.service_accounts.end());
            for (const auto& space : g.workloads.namespaces) spaces.insert(space);
        }
    for (const auto& space : spaces) {
        auto other = space + "/other";
        while (accounts.contains(other)) other += "-1";
        accounts.insert(std::move(other));
    }
    std::vector<std::optional<pod>> out{std::nullopt};
    std::set<std::pair<std::string, std::string>> kinds; // as text, because a bitset has no order
    for (const auto& a : accounts) {
        auto p = pod_of_account(a);
        const auto was = before.workloads().of(&*p), is = after_policy.workloads().of(&*p);
        if (kinds.emplace(was.to_string(), is.to_string()).second) out.push_back(std::move(p));
    }
    return out;
}

struct example {
    ip_address at;
    std::string service_account;
};

// Groups change only at the ends of networks, so these addresses include one client of each kind.
std::vector<client_class> classes_of(const policy& before, const policy& after_policy)
{
    const auto pods = pods_of(before, after_policy);
    std::set<ip_address> ends;
    for (const auto* p : {&before, &after_policy})
        for (const auto& g : p->groups())
            for (const auto& s : g.sources) {
                ends.insert(s.network);
                if (const auto next = first_after(s)) ends.insert(*next);
            }
    if (pods.size() > 1) ends.insert(ip_address::v4(0x0a000001)); // of groups without networks
    struct kind {
        std::vector<std::string> before, after; // groups
        std::uint32_t instances_before, instances_after;
        auto operator<=>(const kind&) const = default;
    };
    std::map<kind, example> kinds;
    for (const auto& p : pods)
        for (const auto& a : ends) {
            const auto* pod = p ? &*p : nullptr;
            kinds.try_emplace({names_of(before.groups_of(a, pod), before), names_of(after_policy.groups_of(a, pod), after_policy),
                               pod ? before.instances_of(*pod) : limits::instances,
                               pod ? after_policy.instances_of(*pod) : limits::instances},
                              example{a, p ? p->service_account : std::string{}});
        }
    std::vector<client_class> out;
    for (const auto& [k, e] : kinds)
        if (!k.before.empty() || !k.after.empty()) out.push_back({e.at, e.service_account, k.before, k.after});
    return out;
}

client example_client(const client_class& c, const policy& rules)
{
    const auto p = pod_of_account(c.service_account);
    return {c.example, 0, rules.groups_of(c.example, p ? &*p : nullptr)};
}

// One change for a kind of host, whatever its name.
struct answer {
    change_kind what;
    std::size_t clients;
    std::uint16_t port;
    const rule *before, *after;
    std::vector<std::string> terms;
    auto operator<=>(const answer&) const = default;
};
using answers = std::vector<answer>; // ascending, no duplicates

class comparison {
public:
    comparison(const policy& before, const policy& after, wall_time now)
        : before_{before}, after_{after}, now_{now}, out_{classes_of(before, after), {}}
    {
        for (const auto& c : out_.clients) asking_.push_back({example_client(c, before), example_client(c, after)});
    }

    policy_diff run() &&
    {
        before_.names().each(
            [&](std::string_view base, name_index::reaches named) { look(std::string{base}, named | after_.names().named(base)); });
        after_.names().each([&](std::string_view base, name_index::reaches named) {
            if (before_.names().named(base).none()) look(std::string{base}, named);
        });
        compare_denied(before_, after_, asking_, out_.changes);
        const auto key = [](const policy_change& c) {
            const rule& by = c.after != nullptr ? *c.after : *c.before;
            return std::tuple{c.what, c.clients, std::string_view{by.name}, std::string_view{c.hosts}, c.port};
        };
        std::sort(out_.changes.begin(), out_.changes.end(), [&](const auto& a, const auto& b) { return key(a) < key(b); });
        return std::move(out_);
    }

private:
    void look(const std::string& base, name_index::reaches named)
    {
        const auto says = [named](reach how) { return named[static_cast<std::size_t>(how)]; };
        if (says(reach::exact)) tell(base, of(base));
        if (!says(reach::one_label) && !says(reach::any_depth)) return;
        const auto label = unused_label(base) + '.';
        const auto &near = of(label + base), &deep = of(label + label + base);
        const bool alike = says(reach::any_depth) && near == deep;
        if (!alike) tell("*." + base, near);
        if (says(reach::any_depth)) tell("**." + base, deep);
    }

    // A label that occurs in no pattern's base, so no pattern distinguishes its hosts from others.
    std::string unused_label(const std::string& base) const
    {
        const auto named = [&](const std::string& host) { return (before_.names().named(host) | after_.names().named(host)).any(); };
        for (std::size_t i = 0;; ++i) {
            const auto label = "x" + std::to_string(i);
            if (!named(label + '.' + base) && !named(label + '.' + label + '.' + base)) return label;
        }
    }

    void tell(const std::string& hosts, const answers& all)
    {
        for (const auto& a : all) out_.changes.push_back({a.what, a.clients, hosts, a.port, {}, a.before, a.after, a.terms});
    }

    // Hosts that match the same rule lists, in both policies, are of one kind.
    const answers& of(const std::string& host)
    {
        std::vector<const rule_index*> kind;
        std::set<std::uint16_t> ports;
        for (const auto* p : {&before_, &after_}) {
            p->names().match(host, [&](std::span<const rule_index> rules, reach) {
                kind.push_back(rules.data());
                for (const auto r : rules) ports.insert(p->rules()[r].ports.begin(), p->rules()[r].ports.end());
                return true;
            });
            kind.push_back(nullptr);
        }
        const auto [known, is_new] = known_.try_emplace(std::move(kind));
        if (is_new) known->second = ask(host, ports);
        return known->second;
    }

    answers ask(const std::string& host, const std::set<std::uint16_t>& ports) const
    {
        const auto name = hostname::parse(host);
        if (!name) return {}; // too long to exist
        std::set<answer> said;
        for (std::size_t c = 0; c < asking_.size(); ++c)
            for (const auto port : ports)
                for (const auto via : {approach::tunnel, approach::tls, approach::http}) compare_at({*name, port, via}, c, said);
        return {said.begin(), said.end()};
    }

    std::uint32_t instances(std::size_t clients, const policy& rules) const
    {
        const auto p = pod_of_account(out_.clients[clients].service_account);
        return p ? rules.instances_of(*p) : limits::instances;
    }

    void compare_at(const target& to, std::size_t clients, std::set<answer>& said) const
    {
        const auto was = decide(asking_[clients].first, to, before_, now_), is = decide(asking_[clients].second, to, after_, now_);
        const auto enforced = [](const decision& d) { return d.allowed() && d.reported == verdict::allowed ? d.rule : nullptr; };
        const auto *a = enforced(was), *b = enforced(is);
        if (a == nullptr && b == nullptr) return;
        if (a == nullptr || b == nullptr) {
            said.insert({b != nullptr ? change_kind::opens : change_kind::closes, clients, to.port, a, b, {}});
            return;
        }
        auto [wider, narrower] = compare_terms({*a, before_.settings(), instances(clients, before_)},
                                               {*b, after_.settings(), instances(clients, after_)}, is.by_wildcard);
        if (!wider.empty()) said.insert({change_kind::widens, clients, to.port, a, b, std::move(wider)});
        if (!narrower.empty()) said.insert({change_kind::narrows, clients, to.port, a, b, std::move(narrower)});
    }

    const policy &before_, &after_;
    const wall_time now_;
    policy_diff out_;
    clients_before_and_after asking_;
    std::map<std::vector<const rule_index*>, answers> known_;
};

} // namespace

std::string_view to_string(change_kind what) noexcept
{
    constexpr enum_array<change_kind, std::string_view, change_kinds> words{"opens", "widens", "narrows", "closes"};
    return words[what];
}

policy_diff compare(const policy& before, const policy& after, wall_time now) { return comparison{before, after, now}.run(); }

} // namespace exeat
