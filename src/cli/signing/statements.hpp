// Shared by the verbs that sign: the list and its manifest, and the environment that a statement is for.
#pragma once

#include <ops/approvals/manifest.hpp>
#include <ops/approvals/signing_key.hpp>
#include <ops/policy/load_allowlist.hpp>

#include <optional>
#include <string>

namespace exeat::cli {

// The allowlist that a file of allowlist.d belongs to; otherwise the file itself.
std::string allowlist_of(const std::string& path);

// The manifest beside the list, whoever signed it; empty when there is none. Throws std::runtime_error when it cannot be read.
std::optional<ops::manifest> manifest_beside(const std::string& allowlist);

// `given` if it is not empty; otherwise the audience of exeat.toml or of the existing manifest. Throws std::runtime_error when none of them
// has one.
std::string audience_of(const std::string& given, const std::string& config_path, const std::optional<ops::manifest>& there);

// Checks that this key's signature for the audience would count under this exeat.toml; without one nothing is checked. Throws
// std::runtime_error, before anything is written, when it would not count.
void require_counting(const std::string& config_path, const ops::private_key&, const std::string& audience);

// Loads the list and its parts without grants, which have statements of their own. Prints problems on stderr.
ops::loaded_allowlist load_to_sign(const std::string& allowlist);

} // namespace exeat::cli
