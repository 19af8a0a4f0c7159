// Who approved an allowlist. Beside allowlist.toml lies allowlist.toml.sig, text that people can read and review:
//
//   exeat allowlist approval v1            what is approved, so that a signature means nothing anywhere else; "exeat grant approval v1"
//                                          for a file of allowlist.d
//   serial 42
//   allowlist SHA-256                      of the file's raw bytes
//   hosts_file SHA-256 names.txt           of each hosts_file, in the order of the entries
//                                          an empty line
//   signed KEY-ID SIGNATURE                Ed25519 over every byte before the empty line; base64 (RFC 4648 section 4)
//
// It is read strictly: one spelling, nothing else. Pure but for OpenSSL; any thread.
#pragma once

#include <ops/signing_key.hpp>

#include <boost/system/result.hpp>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace exeat::ops {

enum class approval_subject : std::uint8_t { allowlist, grant };

struct approval_statement {
    struct hosts_file {
        std::string sha256, name; // relative to the allowlist
        bool operator==(const hosts_file&) const = default;
    };
    approval_subject about = approval_subject::allowlist;
    std::uint64_t serial = 0;
    std::string allowlist; // SHA-256, lower-case hexadecimal
    std::vector<hosts_file> hosts_files;

    std::string to_text() const; // with its last line's end, without the empty line
    bool operator==(const approval_statement&) const = default;
};

struct approval {
    std::string key; // its id
    ed25519_signature signature{};
};

struct signed_statement {
    approval_statement what;
    std::vector<approval> by; // unchecked
    std::string to_text() const;
};

// The error names the line.
boost::system::result<signed_statement, std::string> read_signatures(std::string_view text);

// Whose approval counts, and how many different keys must have given it.
struct approval_rules {
    std::vector<public_key> keys;
    std::size_t needed = 0; // 0: none, and nothing is checked
};

// The ids of the trusted keys that approved it, at least as many as are needed; otherwise what is wrong, and how to mend it. A key that is
// not trusted counts for nothing; a trusted key's signature that does not hold, or stands there twice, refuses the whole.
boost::system::result<std::vector<std::string>, std::string> check_approvals(const signed_statement&, const approval_rules&);

} // namespace exeat::ops
