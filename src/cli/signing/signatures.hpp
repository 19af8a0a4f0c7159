// Signatures of a statement in a file of its own, as `sign`, `grant` and `revoke` add them.
#pragma once

#include <ops/approvals/signed_text.hpp>

#include <optional>
#include <string>

namespace exeat::cli {

// What is in `path` already; none where nothing is. Throws std::runtime_error for what cannot be read.
std::optional<ops::signed_text> signed_before(const std::string& path);
// Adds this key's signature of `statement` to those in `path`, and drops those of another statement. Says on stdout what it did. The file
// is replaced in one step. Throws std::runtime_error, with words for people.
void add_signature(const std::string& path, const std::string& statement, const ops::private_key&);
// From a PEM file or a pkcs11: URI. Throws std::runtime_error.
ops::private_key key_at(const std::string& where, const std::string& passphrase_file);

} // namespace exeat::cli
