// A manifest and the files that it names, read and verified: from beside the list, or from the stored copy. Nothing of a file is parsed
// before its digest is known to be the one that was signed. Blocks; never on a worker.
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
    std::vector<std::string> approved_by; // ids of keys
    approved_files files;                 // the list and its parts
};

// Where the bytes of a file that the manifest names are.
using file_place = std::function<std::string(const named_file&)>;

// `allowlist` is the list's path: what is named is known by its place beside that, wherever its bytes are read.
boost::system::result<signed_list, problem> read_signed_list(const std::string& manifest_path, const std::string& allowlist,
                                                             const approval_rules&, const file_place&);

std::string manifest_of(const std::string& allowlist);                             // its path
std::string beside_allowlist(const std::string& allowlist, std::string_view name); // the path of what a manifest calls so
std::string sha256_of(std::string_view bytes);                                     // empty: OpenSSL gave none

} // namespace exeat::ops
