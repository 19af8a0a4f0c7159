// A statement and who signed it, as text that people can read and review:
//
//   exeat policy manifest v1        what kind of statement it is, so that none can stand for another
//   ...                             its lines; see manifest.hpp, grant_statement.hpp and revocation.hpp
//                                   an empty line
//   signed KEY-ID SIGNATURE         Ed25519 over every byte before the empty line; base64 (RFC 4648 section 4)
//
// It is read strictly: one spelling, nothing else. Pure but for OpenSSL; any thread.
#pragma once

#include <ops/approvals/signing_key.hpp>

#include <boost/system/result.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace exeat::ops {

struct approval {
    std::string key; // its id
    ed25519_signature signature{};
};

struct signed_text {
    std::vector<approval> by{}; // unchecked
    std::string statement{};    // with its last line's end, without the empty line
    std::string to_text() const;
};

// The error names the line.
boost::system::result<signed_text, std::string> read_signed(std::string_view text);

// Whose approval counts, how many different keys must have given it, and for which environment.
struct approval_rules {
    std::vector<public_key> keys;
    std::size_t needed = 0; // 0: none, and nothing is checked
    std::string audience{};
    const public_key* find(const std::string& id) const noexcept;
};

// The ids of the trusted keys that signed it, at least `needed`; otherwise what is wrong, and how to fix it. A key that is not trusted
// counts for nothing; a trusted key's signature that does not hold, or is there twice, refuses the whole.
boost::system::result<std::vector<std::string>, std::string> check_approvals(const signed_text&, const approval_rules&, std::size_t needed);
// Why a statement for this audience does not count here; empty: it does.
std::string audience_objection(const std::string& audience, const approval_rules&);

} // namespace exeat::ops
