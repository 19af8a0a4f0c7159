#include <ops/settings/read_policy.hpp>

#include <exeat/limits.hpp>
#include <ops/text/exeat_toml_keys.hpp>
#include <ops/text/statement_lines.hpp>

#include <filesystem>
#include <fmt/format.h>

namespace exeat::ops {

namespace {

consteval toml_key key(std::string_view name) { return key_of(exeat_toml::policy, name); }

void read_audience(section& s, config& c)
{
    constexpr auto audience = key("audience");
    const auto text = s.text(audience, limits::audience_octets);
    if (text && !is_audience(*text))
        s.reject(audience.name,
                 fmt::format("{} is not the name of an environment; write lower-case letters, digits, '-', '_' and '.', as in {}",
                             as_shown(*text), audience.example));
    if (text) c.audience = *text;
    if (!c.trusted_keys.empty() && !s.has(audience.name))
        s.reject("trusted_keys",
                 "approved lists need 'audience', the environment that they are signed for, so that what is signed for another "
                 "one does not count here; add audience = \"production\"");
}

void read_grant_for(section& s, config& c)
{
    constexpr auto longest = key("grant_for");
    if (const auto t = s.duration(longest)) c.grant_for = std::chrono::floor<std::chrono::seconds>(*t);
    if (s.has(longest.name) && c.trusted_keys.empty())
        s.reject(longest.name, "'grant_for' says nothing without 'trusted_keys'; add them, or remove it");
}

void read_approvals(section& s, config& c)
{
    constexpr auto approvals = key("approvals");
    for (const auto& k : s.texts(key("trusted_keys")).value_or(std::vector<located_text>{}))
        c.trusted_keys.push_back(beside_config(s.wrong().file(), std::string{k.text}));
    c.approvals = static_cast<std::size_t>(s.integer(approvals).value_or(0));
    if (c.approvals > c.trusted_keys.size())
        s.reject(approvals.name, fmt::format("'trusted_keys' names {}, so no list could have {} approvals; add keys or ask for fewer",
                                             c.trusted_keys.size(), c.approvals));
    if (!c.trusted_keys.empty() && c.approvals == 0) c.approvals = 1;
    read_audience(s, c);
    read_grant_for(s, c);
}

} // namespace

std::string beside_config(const std::string& file, const std::string& path)
{
    const std::filesystem::path p{path};
    return p.is_absolute() ? path : (std::filesystem::path{file}.parent_path() / p).lexically_normal().string();
}

void read_policy(section& s, config& c)
{
    constexpr auto allowlist = key("allowlist"), state = key("state");
    if (!s.has(allowlist.name)) s.missing(allowlist);
    if (const auto p = s.text(allowlist, limits::path_octets)) c.allowlist = beside_config(s.wrong().file(), *p);
    if (const auto p = s.text(state, limits::path_octets)) c.state = beside_config(s.wrong().file(), *p);
    c.require_end = s.flag(key("require_end")).value_or(false);
    read_approvals(s, c);
    if (!c.trusted_keys.empty() && c.state.empty())
        s.reject("trusted_keys",
                 "approved lists need 'state', where the highest serial, what was revoked and the last good list are kept; add "
                 "state = \"/var/lib/exeat\"");
}

} // namespace exeat::ops
