// A statement and who signed it, as text that people can read and review:
//
//   exeat policy manifest v1        what kind of statement it is, so that none can stand for another
//   ...                             its lines; see manifest.hpp and grant_statement.hpp
//                                   an empty line
//   signed KEY-ID SIGNATURE         Ed25519 over every byte before the empty line; base64 (RFC 4648 section 4)
//
// Reading is strict and accepts only one spelling. Pure except for OpenSSL; any thread.
#pragma once

#include <ops/approvals/signing_key.hpp>

#include <boost/system/result.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace exeat::ops {

struct approval {
    std::string key; // its ID
    ed25519_signature signature{};
};

struct signed_text {
    std::vector<approval> by{}; // unchecked
    std::string statement{};    // with the newline of its last line, without the empty line
    std::string to_text() const;
};

// The error names the line.
boost::system::result<signed_text, std::string> read_signed(std::string_view text);

// Whose approval counts, how many different keys must approve, and for which environment.
struct approval_rules {
    std::vector<public_key> keys;
    std::size_t needed = 0; // 0: none, and nothing is checked
    std::string audience{};
    const public_key* find(const std::string& id) const noexcept;
};

// Returns the IDs of the trusted keys that signed the statement, at least `needed`; otherwise what is wrong, and how to fix it. Signatures
// of untrusted keys are ignored. An invalid or repeated signature of a trusted key invalidates the whole statement.
boost::system::result<std::vector<std::string>, std::string> check_approvals(const signed_text&, const approval_rules&, std::size_t needed);
// Why a statement for this audience is not valid here; empty when it is.
std::string audience_objection(const std::string& audience, const approval_rules&);

} // namespace exeat::ops
