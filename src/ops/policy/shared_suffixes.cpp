#include <ops/policy/shared_suffixes.hpp>

#include <embedded.hpp>

#include <algorithm>
#include <boost/container/flat_map.hpp>
#include <fmt/format.h>
#include <libpsl.h>

namespace exeat::ops {

namespace {

using suffixes = boost::container::flat_map<std::string_view, std::string_view>; // suffix → what is shared there

suffixes parsed(std::string_view text)
{
    constexpr std::string_view blank = " \t";
    suffixes out;
    while (!text.empty()) {
        const auto end = std::min(text.find('\n'), text.size());
        const auto line = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        if (line.empty() || line.front() == '#') continue;
        const auto name_end = line.find_first_of(blank);
        const auto word = line.find_first_not_of(blank, name_end);
        out.emplace(line.substr(0, name_end), word == line.npos ? "service" : line.substr(word));
    }
    return out;
}

const suffixes& ours()
{
    static const suffixes list = parsed(embedded::shared_suffixes);
    return list;
}

std::string_view parent(std::string_view name) noexcept { return name.substr(name.find('.') + 1); }

std::string_view shared_at(std::string_view name)
{
    const auto& list = ours();
    if (const auto exact = list.find(name); exact != list.end()) return exact->second;
    const auto any_child = list.find(fmt::format("*.{}", parent(name)));
    return any_child == list.end() ? std::string_view{} : any_child->second;
}

// The first shared suffix below the name: "**.azure.example" includes "vault.azure.example".
std::string_view shared_below(std::string_view name)
{
    const auto below = [name](std::string_view s) {
        return s.size() > name.size() && s.ends_with(name) && s[s.size() - name.size() - 1] == '.';
    };
    const auto found = std::find_if(ours().begin(), ours().end(), [&](const auto& s) { return below(s.first); });
    return found == ours().end() ? std::string_view{} : found->first;
}

bool public_suffix(const std::string& name)
{
    return psl_is_public_suffix2(psl_builtin(), name.c_str(), PSL_TYPE_ANY | PSL_TYPE_NO_STAR_RULE) != 0;
}

} // namespace

std::string wildcard_objection(const host_pattern& host)
{
    if (host.how == host_pattern::reach::exact || host.base.address()) return {};
    constexpr std::string_view fix = "name the hosts, or say why in shared_suffix = \"…\"";
    const auto& base = host.base.str();
    if (const auto kind = shared_at(base); !kind.empty())
        return fmt::format("{} takes in every tenant's host ({} is shared: {}); {}", host.to_string(), base, kind, fix);
    if (public_suffix(std::string{base}))
        return fmt::format("{} takes in everybody's host ({} is a public suffix); {}", host.to_string(), base, fix);
    if (host.how != host_pattern::reach::any_depth) return {};
    if (const auto below = shared_below(base); !below.empty())
        return fmt::format("{} takes in every tenant's host below {}; {}", host.to_string(), below, fix);
    return {};
}

std::string_view shared_around(const host_pattern& host)
{
    if (host.base.address()) return {};
    for (std::string_view name = host.base.str(); name.find('.') != name.npos; name = parent(name))
        if (const auto kind = shared_at(name); !kind.empty()) return kind;
    return {};
}

std::string_view shared_host(const host_pattern& host)
{
    return host.how == host_pattern::reach::exact && !host.base.address() ? shared_at(host.base.str()) : std::string_view{};
}

} // namespace exeat::ops
