// A directory with a list that needs approvals, two keys and a state, for tests.
#pragma once

#include "approving.hpp"

#include <exeat/limits.hpp>
#include <ops/approvals/policy_gate.hpp>

#include <filesystem>
#include <fmt/format.h>

namespace exeat::testing {
inline namespace approvals {

inline std::string text_of(const std::vector<ops::problem>& all)
{
    std::string out;
    for (const auto& p : all) out += p.to_string() + "\n";
    return out;
}

inline verdict said(const policy& p, std::string_view authority, wall_time at)
{
    client who{*ip_address::parse("10.42.1.1"), 0, {}};
    who.groups = p.groups_of(who.source);
    const auto to = parse_authority(authority, approach::tunnel);
    REQUIRE(to.has_value());
    return decide(who, *to, p, at).verdict;
}

inline std::string entry(std::string_view name, std::string_view head = "")
{
    return fmt::format("{}[[allow]]\nname = \"{}\"\nhosts = [\"{}.test\"]\n", head, name, name);
}

inline constexpr wall_time now = approved_at;

inline std::string list(std::uint64_t serial, std::string_view host = "ok.test")
{
    return fmt::format("serial = {}\nexpires = 2027-01-01T00:00:00Z\n[groups.g]\nsources = [\"10.42.0.0/16\"]\n"
                       "[[allow]]\nname = \"a\"\nhosts = [\"{}\"]\n",
                       serial, host);
}

struct approved_lab {
    temporary_directory d;
    key_pair alice = new_key(d, "alice"), bob = new_key(d, "bob");
    ops::label_registry labels;

    exeat::config settings(std::size_t approvals = 1) const
    {
        exeat::config c;
        c.allowlist = d.path("allowlist.toml");
        c.state = d.path("state");
        std::filesystem::create_directory(c.state);
        c.trusted_keys = {d.path("alice.pub"), d.path("bob.pub")};
        c.approvals = approvals;
        c.audience = "production";
        return c;
    }
    ops::loaded_allowlist load(ops::policy_gate& g) { return g.load(labels, now); }
    ops::load_refusal result(ops::policy_gate& g) { return load(g).why; }
    void approved(std::uint64_t serial, std::string_view host = "ok.test") { write_approved(d, list(serial, host), {&alice, &bob}); }
    void part(std::string_view name, std::string_view text) const
    {
        std::filesystem::create_directory(d.path("allowlist.d"));
        d.write(fmt::format("allowlist.d/{}", name), text);
    }
    bool opens(ops::policy_gate& g, std::string_view authority)
    {
        const auto loaded = load(g);
        REQUIRE_MESSAGE(loaded.rules, text_of(loaded.problems));
        return said(*loaded.rules, authority, now) == verdict::allowed;
    }
};

inline std::string first_problem(const ops::loaded_allowlist& l)
{
    return l.problems.empty() ? std::string{} : l.problems.front().to_string();
}

} // namespace approvals
} // namespace exeat::testing
