// The directory beside an allowlist whose files are part of the same policy: allowlist.toml has allowlist.d/. Blocks.
#pragma once

#include <boost/system/result.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace exeat::ops {

// Suffixes of the other files in it: approvals of grants, and revocations.
inline constexpr std::string_view grant_suffix = ".grant", revocation_suffix = ".revoke";

std::string parts_directory(const std::string& allowlist);

// Its *.toml files, sorted by name; none if there is no such directory. The error says why it cannot be read, or that there are too many.
boost::system::result<std::vector<std::string>, std::string> part_files(const std::string& directory);

} // namespace exeat::ops
