// A manifest and the files that it names, read and verified, either beside the list or from the stored copy. No file is parsed before its
// digest is known to be the signed one. Blocks; never on a worker.
#pragma once

#include <ops/approvals/manifest.hpp>
#include <ops/approvals/signed_text.hpp>
#include <ops/policy/approved_files.hpp>
#include <ops/policy/load_refusal.hpp>
#include <ops/text/problem.hpp>

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace exeat::ops {

struct signed_list {
    manifest what;
    signed_text text;
    std::string sha256;                   // of the statement, lower-case hexadecimal
    std::vector<std::string> approved_by; // key IDs
    approved_files files;                 // the list and its parts
};

// Returns the path to read a file of the manifest from.
using file_place = std::function<std::string(const named_file&)>;

// `allowlist` is the list's path. Files are identified by their path beside it, wherever their bytes are read from.
boost::system::result<signed_list, problem> read_signed_list(const std::string& manifest_path, const std::string& allowlist,
                                                             const approval_rules&, const file_place&);

std::string manifest_of(const std::string& allowlist);                             // the path of its manifest
std::string beside_allowlist(const std::string& allowlist, std::string_view name); // the path of a name in a manifest
std::string sha256_of(std::string_view bytes);                                     // empty: OpenSSL failed

} // namespace exeat::ops
