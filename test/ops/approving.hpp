// Key pairs and approved lists in a directory, for tests.
#pragma once

#include "temporary_directory.hpp"

#include <exeat/config.hpp>
#include <ops/approval.hpp>
#include <ops/load_allowlist.hpp>

#include <doctest/doctest.h>

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

inline void approve(ops::signed_statement& s, const key_pair& by)
{
    const auto signature = by.secret.sign(s.what.to_text());
    REQUIRE(signature.has_value());
    s.by.push_back({by.known.id(), *signature});
}

// Writes `text` as allowlist.toml, and what these keys approve of it beside it.
inline void write_approved(const temporary_directory& d, std::string_view text, std::initializer_list<const key_pair*> by)
{
    const auto path = d.write("allowlist.toml", text);
    ops::label_registry labels;
    const auto loaded = ops::load_allowlist(path, labels, std::chrono::sys_days{std::chrono::year{2026} / 6 / 1});
    ops::signed_statement s{loaded.lists.front().statement, {}};
    for (const auto* k : by) approve(s, *k);
    d.write("allowlist.toml.sig", s.to_text());
}

} // namespace exeat::testing
