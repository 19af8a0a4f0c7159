// Reads a file of Squid's `acl … dstdomain "FILE"`: one domain per line; a leading dot includes the domain and everything below it. A deny
// list may contain networks as well, like a file for `acl … dst`. Pure; any thread.
#pragma once

#include <ops/offline/imported_list.hpp>
#include <ops/text/diagnostics.hpp>

#include <string_view>

namespace exeat::ops {

// Adds an entry for the file called `name` if it names any host. What is not converted is an error in the diagnostics.
void import_squid(std::string_view text, std::string_view name, rule_kind, imported_list&, diagnostics&);

} // namespace exeat::ops
