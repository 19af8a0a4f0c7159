// Small allowlists for the tests of the loader.
#pragma once

#include "bad_snippet.hpp"
#include "temporary_directory.hpp"

#include <exeat/limits.hpp>
#include <ops/policy/load_allowlist.hpp>

namespace exeat::testing {
inline namespace allowlists {

using ops::label_registry;
using ops::load_allowlist;

inline constexpr wall_time now = std::chrono::sys_days{std::chrono::year{2026} / 6 / 1};

inline constexpr std::string_view least = "serial = 1\n[groups.training]\nsources = [\"10.42.0.0/16\"]\n";
inline constexpr std::string_view entry = "[[allow]]\nname = \"a\"\nhosts = [\"ok.test\"]\n"; // 3 lines

inline std::string text_of(const std::vector<ops::problem>& all)
{
    std::string out;
    for (const auto& p : all) out += p.to_string() + "\n";
    return out;
}

inline ops::loaded_allowlist load(std::string_view text)
{
    const temporary_directory d;
    label_registry labels;
    return load_allowlist(d.write("allowlist.toml", text), labels, now);
}

inline verdict said(const policy& p, std::string_view authority, approach via = approach::tunnel, std::string_view source = "10.42.1.1")
{
    client who{*ip_address::parse(source), 0, {}};
    who.groups = p.groups_of(who.source);
    const auto to = parse_authority(authority, via);
    REQUIRE(to.has_value());
    return decide(who, *to, p, now).verdict;
}

} // namespace allowlists
} // namespace exeat::testing
