#include <ops/approvals/hold_to_manifest.hpp>

#include <ops/approvals/signed_list.hpp>

#include <algorithm>
#include <filesystem>
#include <fmt/format.h>
#include <set>

namespace exeat::ops {

void hold_to_manifest(loaded_allowlist& l, const manifest& m, const std::string& allowlist)
{
    if (!l.rules) return;
    std::set<std::string> read;
    for (const auto& list : l.lists)
        for (const auto& h : list.hosts_files) read.insert(std::filesystem::path{h.path}.lexically_normal().string());
    const auto unused = std::find_if(m.hosts_files.begin(), m.hosts_files.end(),
                                     [&](const named_file& f) { return !read.contains(beside_allowlist(allowlist, f.name)); });
    std::string wrong;
    if (l.lists.front().serial != m.serial)
        wrong = fmt::format("its serial is {}, and the manifest's {}; sign it as it is now", l.lists.front().serial, m.serial);
    else if (l.lists.front().expires == never) wrong = "what is approved must say how long it holds; add expires = 2027-01-01T00:00:00Z";
    else if (unused != m.hosts_files.end())
        wrong = fmt::format("the manifest names the hosts file {}, and no entry does; sign it as it is now", unused->name);
    if (wrong.empty()) return;
    l.problems.push_back({allowlist, 0, 0, problem::weight::error, std::move(wrong)});
    l.rules = nullptr;
    l.why = load_refusal::unapproved;
}

} // namespace exeat::ops
