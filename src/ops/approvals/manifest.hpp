// Everything that is in force where lists must be approved, in one signed statement beside the list, allowlist.toml.manifest, so that one
// rename replaces all of it:
//
//   exeat policy manifest v1
//   audience production                                  the environment that it is for
//   serial 42                                            as the list says it
//   list SHA-256 allowlist.toml                          of the file's raw bytes; names are relative to the manifest's directory
//   part SHA-256 allowlist.d/base.toml                   each file of allowlist.d, by name
//   hosts_file SHA-256 names.txt                         each hosts_file that any of these names, by name
//   revoked SHA-256 2026-12-24T00:00:00Z                 digests of lists, parts and grants that open nothing until then
//
// The signatures follow (signed_text.hpp). Pure; any thread.
#pragma once

#include <ops/text/statement_lines.hpp>

#include <boost/system/result.hpp>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace exeat::ops {

struct revoked_digest {
    std::string sha256;
    wall_time until{};
    bool operator==(const revoked_digest&) const = default;
};

struct manifest {
    std::uint64_t serial = 0;
    std::string audience;
    named_file list;
    std::vector<named_file> parts, hosts_files; // ascending by name
    std::vector<revoked_digest> revoked;        // ascending

    std::string to_text() const;
    bool operator==(const manifest&) const = default;
};

inline constexpr std::string_view manifest_suffix = ".manifest";

// The error names the line.
boost::system::result<manifest, std::string> read_manifest(std::string_view statement);

} // namespace exeat::ops
