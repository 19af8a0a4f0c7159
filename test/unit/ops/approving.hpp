// Key pairs, and lists, grants and revocations that they approved, in a directory, for tests.
#pragma once

#include "temporary_directory.hpp"

#include <exeat/config.hpp>
#include <ops/approvals/grant_statement.hpp>
#include <ops/approvals/signed_list.hpp>
#include <ops/policy/load_allowlist.hpp>

#include <doctest/doctest.h>

#include <filesystem>
#include <map>

namespace exeat::testing {

struct key_pair {
    ops::private_key secret;
    ops::public_key known;
};

inline key_pair new_key(const temporary_directory& d, const std::string& name)
{
    auto secret = ops::private_key::generate();
    REQUIRE(secret.has_value());
    auto known = ops::public_key::read(d.write(name + ".pub", secret->public_pem()));
    REQUIRE(known.has_value());
    return {std::move(*secret), std::move(*known)};
}

inline void approve(ops::signed_text& s, const key_pair& by)
{
    const auto signature = by.secret.sign(s.statement);
    REQUIRE(signature.has_value());
    s.by.push_back({by.known.id(), *signature});
}

using keys = std::initializer_list<const key_pair*>;

inline std::string signed_by(const std::string& statement, keys by)
{
    ops::signed_text s{{}, statement};
    for (const auto* k : by) approve(s, *k);
    return s.to_text();
}

inline constexpr wall_time approved_at = std::chrono::sys_days{std::chrono::year{2026} / 6 / 1};

// What is to be signed of allowlist.toml and all that belongs to it, as it lies there.
inline ops::manifest manifest_of_files(const temporary_directory& d, const std::string& audience = "production")
{
    ops::label_registry labels;
    ops::load_options with;
    with.without_grants = true;
    const auto loaded = ops::load_allowlist(d.path("allowlist.toml"), labels, approved_at, with);
    ops::manifest out;
    out.audience = audience;
    out.serial = loaded.lists.front().serial;
    out.list = {loaded.lists.front().sha256, "allowlist.toml"};
    std::map<std::string, std::string> hosts_files;
    for (const auto& l : loaded.lists) {
        if (l.kind == ops::list_kind::part)
            out.parts.push_back({l.sha256, "allowlist.d/" + std::filesystem::path{l.path}.filename().string()});
        for (const auto& h : l.hosts_files) hosts_files[std::filesystem::path{h.path}.lexically_relative(d.path("")).string()] = h.sha256;
    }
    for (const auto& [name, sha256] : hosts_files) out.hosts_files.push_back({sha256, name});
    return out;
}

inline void write_manifest(const temporary_directory& d, const ops::manifest& m, keys by)
{
    d.write("allowlist.toml.manifest", signed_by(m.to_text(), by));
}

// Writes `text` as allowlist.toml, and the manifest of it and what lies beside it.
inline void write_approved(const temporary_directory& d, std::string_view text, keys by)
{
    d.write("allowlist.toml", text);
    write_manifest(d, manifest_of_files(d), by);
}

inline ops::grant_statement grant_of(const std::string& name, const std::string& text, std::uint64_t base, std::chrono::seconds lasts,
                                     wall_time made = approved_at)
{
    ops::grant_statement g;
    g.audience = "production";
    g.base = base;
    g.made = made;
    g.not_after = made + lasts;
    g.file = {ops::sha256_of(text), name};
    return g;
}

// figures.toml and its statement, in allowlist.d.
inline void write_grant(const temporary_directory& d, const std::string& text, const ops::grant_statement& g, keys by)
{
    std::filesystem::create_directory(d.path("allowlist.d"));
    d.write("allowlist.d/" + g.file.name, text);
    d.write("allowlist.d/" + g.file.name + ".grant", signed_by(g.to_text(), by));
}

inline void write_revocation(const temporary_directory& d, const std::string& sha256, wall_time until, keys by,
                             const std::string& audience = "production")
{
    std::filesystem::create_directory(d.path("allowlist.d"));
    ops::revocation r;
    r.audience = audience;
    r.what = {sha256, until};
    r.reason = "test";
    d.write("allowlist.d/" + sha256.substr(0, 16) + ".revoke", signed_by(r.to_text(), by));
}

} // namespace exeat::testing
