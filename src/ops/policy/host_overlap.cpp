#include <ops/policy/host_overlap.hpp>

namespace exeat::ops {

namespace {

using reach = host_pattern::reach;

// The parent name; empty at the top.
std::string_view above(std::string_view name) noexcept
{
    const auto dot = name.find('.');
    return dot == name.npos ? std::string_view{} : name.substr(dot + 1);
}

} // namespace

host_overlap::host_overlap(const std::vector<host_pattern>& all)
{
    for (std::size_t i = 0; i < all.size(); ++i) {
        const auto base = all[i].base.str();
        (all[i].how == reach::exact ? exact_ : wild_).emplace(base, i);
        for (auto up = above(base); !up.empty(); up = above(up)) below_.emplace(up, i);
    }
}

std::size_t host_overlap::covers(const host_pattern& p) const noexcept
{
    const auto& same = p.how == reach::exact ? exact_ : wild_;
    if (const auto found = same.find(p.base.str()); found != same.end()) return found->second;
    for (auto up = above(p.base.str()); !up.empty(); up = above(up))
        if (const auto found = wild_.find(up); found != wild_.end()) return found->second;
    return none;
}

std::size_t host_overlap::meets(const host_pattern& p) const noexcept
{
    if (const auto wide = covers(p); wide != none) return wide;
    if (p.how == reach::exact) return none;
    const auto found = below_.find(p.base.str());
    return found == below_.end() ? none : found->second;
}

} // namespace exeat::ops
