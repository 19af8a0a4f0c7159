// What the verbs that sign have in common: the list and its manifest, and the environment that a statement is for.
#pragma once

#include <ops/approvals/manifest.hpp>
#include <ops/approvals/signing_key.hpp>
#include <ops/policy/load_allowlist.hpp>

#include <optional>
#include <string>

namespace exeat::cli {

// The allowlist that a file of allowlist.d is beside; otherwise the file itself.
std::string allowlist_of(const std::string& path);

// The manifest beside the list, whoever signed it; none where there is none. Throws std::runtime_error for one that cannot be read.
std::optional<ops::manifest> manifest_beside(const std::string& allowlist);

// As given; otherwise that of exeat.toml, or of the manifest that is there. Throws std::runtime_error when nobody says.
std::string audience_of(const std::string& given, const std::string& config_path, const std::optional<ops::manifest>& there);

// Whether what this key signs for the audience would count where this exeat.toml holds; without one nothing is known. Throws
// std::runtime_error, before anything is written, when it would not.
void require_counting(const std::string& config_path, const ops::private_key&, const std::string& audience);

// The list and its parts as they lie there, without grants, which have statements of their own. Says what is wrong on stderr.
ops::loaded_allowlist load_to_sign(const std::string& allowlist);

} // namespace exeat::cli
