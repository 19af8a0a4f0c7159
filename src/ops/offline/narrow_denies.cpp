#include <ops/offline/narrow_denies.hpp>

#include <algorithm>
#include <filesystem>

namespace exeat::ops {

namespace {

std::vector<std::string> addresses_of(const entry& e)
{
    std::vector<std::string> out;
    for (const auto& h : e.hosts)
        if (h.pattern.base.address()) out.push_back(h.pattern.to_string());
    for (const auto& n : e.networks) out.push_back(n.network.to_string());
    return out;
}

std::vector<std::string> groups_of(const entry& e, const allowlist_draft& given, const std::vector<narrow_group>& kept)
{
    std::vector<std::string> out;
    for (std::size_t i = 0; i < given.groups.size(); ++i) {
        const auto is_it = [&](const narrow_group& g) { return g.name == given.groups[i].name; };
        if (e.value.groups[i] && std::any_of(kept.begin(), kept.end(), is_it)) out.push_back(given.groups[i].name);
    }
    return out;
}

} // namespace

std::vector<narrow_deny> address_denies(const allowlist_draft& given, const std::vector<narrow_group>& groups)
{
    std::vector<narrow_deny> out;
    for (const auto& e : given.entries) {
        if (e.value.kind != rule_kind::deny) continue;
        const auto directory = std::filesystem::path{e.value.file}.parent_path();
        narrow_deny kept{e.value, addresses_of(e), {}, {}};
        if (!e.hosts_file.empty()) kept.hosts_file = std::filesystem::path{e.hosts_file}.lexically_relative(directory).string();
        if (kept.hosts.empty() && kept.hosts_file.empty()) continue; // a hosts file may name addresses
        const bool for_all = e.value.groups.all();
        if (!for_all) kept.groups = groups_of(e, given, groups);
        if (for_all || !kept.groups.empty()) out.push_back(std::move(kept));
    }
    return out;
}

} // namespace exeat::ops
