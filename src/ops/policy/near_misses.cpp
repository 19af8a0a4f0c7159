#include <ops/policy/near_misses.hpp>

#include <ops/text/diagnostics.hpp>
#include <ops/text/did_you_mean.hpp>
#include <ops/text/json_text.hpp>

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace exeat::ops {

namespace {

std::string ports_text(const rule& r) { return r.ports.empty() ? "every port" : fmt::format("{}", fmt::join(r.ports, ", ")); }

std::string entry_text(const rule& r) { return fmt::format("{} ({})", as_shown(r.name), place_of(r)); }

// Visits each rule that is not a deny and includes the host, until `visit` returns false.
template <class Visit> void each_opening(const policy& rules, std::string_view host, Visit visit)
{
    rules.names().match(host, [&](std::span<const rule_index> list, host_pattern::reach) {
        for (const auto i : list)
            if (const rule& r = rules.rules()[i]; r.kind != rule_kind::deny && !visit(r)) return false;
        return true;
    });
}

// Entries that name the host, but for other clients, ports or protocols.
std::vector<std::string> of_this_host(const client& who, const target& to, const policy& rules)
{
    std::vector<std::string> out;
    each_opening(rules, to.host.str(), [&](const rule& r) {
        if ((r.groups & who.groups).none())
            out.push_back(fmt::format("{} names this host, but is for group {}", entry_text(r), groups_text(r.groups, rules)));
        else out.push_back(fmt::format("{} names this host: protocol {}, ports {}", entry_text(r), to_string(r.protocol), ports_text(r)));
        return out.size() < limits::ports_per_rule;
    });
    return out;
}

const rule* first_opening(const policy& rules, std::string_view host)
{
    const rule* found = nullptr;
    each_opening(rules, host, [&](const rule& r) { return found = &r, false; });
    return found;
}

// A host of some entry that differs from this one by a typing mistake; empty: none.
std::string similar_host(const std::string& host, const policy& rules)
{
    std::vector<std::string> all;
    rules.names().each([&](std::string_view base, name_index::reaches named) {
        const bool close = base.size() <= host.size() + 2 && host.size() <= base.size() + 2;
        if (close && named[static_cast<std::size_t>(host_pattern::reach::exact)]) all.emplace_back(base);
    });
    std::sort(all.begin(), all.end());
    const std::vector<std::string_view> known{all.begin(), all.end()};
    const std::string near{nearest_word(host, known)};
    return near.empty() || first_opening(rules, near) == nullptr ? std::string{} : near;
}

// An entry for names directly below the host, or for a parent of it.
std::string of_a_host_near(const std::string& host, const policy& rules)
{
    if (const auto* r = first_opening(rules, "x." + host))
        return fmt::format("{} names what is below {}, and a wildcard does not take in the name itself; write {} too", entry_text(*r), host,
                           host);
    for (auto dot = host.find('.'); dot != host.npos; dot = host.find('.', dot + 1)) {
        const auto above = host.substr(dot + 1);
        if (above.find('.') == above.npos) break;
        if (const auto* r = first_opening(rules, above))
            return fmt::format("{} names {}, and not what is below it; write {} too", entry_text(*r), above, host);
    }
    constexpr std::string_view nobody = "no [[allow]] or [[private_link]] names this host";
    const auto near = similar_host(host, rules);
    return near.empty() ? std::string{nobody}
                        : fmt::format("{}; did you mean {} of {}?", nobody, near, entry_text(*first_opening(rules, near)));
}

} // namespace

std::string place_of(const rule& r) { return r.line == 0 ? "built in" : fmt::format("{}:{}", one_line(r.file), r.line); }

namespace {

std::string in_no_group(const client& who, const policy& rules)
{
    if (who.pod)
        return fmt::format("a pod of {} at {} is in none of the groups: write its service account or its namespace, and if need be its "
                           "network, into the one that it belongs to",
                           who.pod->service_account, who.source.to_string());
    const bool pods = std::ranges::any_of(rules.groups(), [](const group& g) { return g.workloads.any(); });
    return fmt::format("{} lies in the sources of none of the groups: write its network into the one that it belongs to{}",
                       who.source.to_string(), pods ? "; into the groups of pods nobody comes by an address alone" : "");
}

} // namespace

std::string groups_text(const group_set& of, const policy& rules)
{
    std::vector<std::string> names;
    for (std::size_t i = 0; i < rules.groups().size(); ++i)
        if (of[i]) names.push_back(rules.groups()[i].name);
    return names.empty() ? "none" : fmt::format("{}", fmt::join(names, ", "));
}

std::vector<std::string> near_misses(verdict why, const client& who, const target& to, const policy& rules)
{
    switch (why) {
    case verdict::source_not_allowed: return {in_no_group(who, rules)};
    case verdict::not_allowed:
    case verdict::ip_literal:
    case verdict::port_not_allowed:
    case verdict::protocol_not_allowed: {
        auto out = of_this_host(who, to, rules);
        if (out.empty()) out.push_back(of_a_host_near(std::string{to.host.str()}, rules));
        return out;
    }
    default: return {};
    }
}

} // namespace exeat::ops
