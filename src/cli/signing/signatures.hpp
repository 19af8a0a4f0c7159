// Signatures of a statement in its own file, as `sign`, `grant` and `revoke` add them.
#pragma once

#include <ops/approvals/signed_text.hpp>

#include <optional>
#include <string>

namespace exeat::cli {

// The content of `path`; empty when there is no such file. Throws std::runtime_error when it cannot be read.
std::optional<ops::signed_text> signed_before(const std::string& path);
// Adds this key's signature of `statement` to those in `path`, drops signatures of another statement, and reports on stdout. The file is
// replaced in one step. Throws std::runtime_error, with a message for people.
void add_signature(const std::string& path, const std::string& statement, const ops::private_key&);
// Reads the key from a PEM file or a pkcs11: URI. Throws std::runtime_error.
ops::private_key key_at(const std::string& where, const std::string& passphrase_file);

} // namespace exeat::cli
