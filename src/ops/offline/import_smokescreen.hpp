// Converts a Smokescreen ACL (YAML, version v1) to an allowlist. A Smokescreen role has hosts, and an action for all others; an exeat group
// has hosts, and nothing else is open. Smokescreen's `*.x` matches any depth, so it becomes `**.x`. Pure; any thread.
#pragma once

#include <ops/offline/imported_list.hpp>
#include <ops/text/diagnostics.hpp>

#include <optional>
#include <string>

namespace exeat::ops {

// Returns nothing when the text is not such an ACL. Errors report what the list does not contain, warnings what its reader should know.
std::optional<imported_list> import_smokescreen(const std::string& text, const import_wishes&, diagnostics&);

} // namespace exeat::ops
