// A file of Squid's `acl … dstdomain "FILE"`: one domain a line, which with a dot in front takes in itself and everything below. A list of
// what is closed may name networks as well, as one for `acl … dst` does. Pure; any thread.
#pragma once

#include <ops/offline/imported_list.hpp>
#include <ops/text/diagnostics.hpp>

#include <string_view>

namespace exeat::ops {

// Adds an entry for the file that is called `name`, if it names any host. What is not taken is an error in the findings.
void import_squid(std::string_view text, std::string_view name, rule_kind, imported_list&, diagnostics&);

} // namespace exeat::ops
