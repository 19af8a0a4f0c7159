// The signed statement of a grant, figures.toml, is in figures.toml.grant beside it:
//
//   exeat grant v1
//   audience production
//   base 42                              the serial of the policy that it was made for: it holds for this one and later ones
//   made 2026-12-24T09:00:00Z
//   not_after 2026-12-24T13:00:00Z       it ends by then, whatever its entries say
//   file SHA-256 figures.toml
//
// The signed statement of a revocation is in allowlist.d/ANY.revoke. One trusted key is enough, because it can only narrow the policy:
//
//   exeat revocation v1
//   audience production
//   revoked SHA-256 2026-12-24T13:00:00Z    what the file with this digest allows is closed until then
//   reason TEXT
//
// Pure; any thread.
#pragma once

#include <ops/approvals/manifest.hpp>
#include <ops/policy/part_files.hpp>

namespace exeat::ops {

struct grant_statement {
    std::uint64_t base = 0;
    std::string audience;
    wall_time made{}, not_after{};
    named_file file;

    std::string to_text() const;
    bool operator==(const grant_statement&) const = default;
};

struct revocation {
    revoked_digest what;
    std::string audience;
    std::string reason; // one line

    std::string to_text() const;
    bool operator==(const revocation&) const = default;
};

// The errors name the line.
boost::system::result<grant_statement, std::string> read_grant(std::string_view statement);
boost::system::result<revocation, std::string> read_revocation(std::string_view statement);

// Why a grant is not valid under a policy with this serial; empty when it is.
std::string grant_objection(const grant_statement&, std::uint64_t serial, std::chrono::seconds longest, wall_time now);

} // namespace exeat::ops
