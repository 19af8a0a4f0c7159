// Signatures beside a file, as `sign` and `grant` add them.
#pragma once

#include <ops/approval.hpp>

#include <string>

namespace exeat::cli {

// Adds this key's signature of `what` to those in `path`, and drops those of another content. Says on stdout what it did. Throws
// std::runtime_error, with words for people.
void add_signature(const std::string& path, const ops::approval_statement& what, const ops::private_key&);

} // namespace exeat::cli
