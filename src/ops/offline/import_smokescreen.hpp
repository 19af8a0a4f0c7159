// The ACL of Smokescreen (YAML, version v1) as an allowlist. There a role has hosts, and an action for all others; here a group has hosts,
// and nothing else is open. `*.x` there is any depth, so `**.x` here. Pure; any thread.
#pragma once

#include <ops/offline/imported_list.hpp>
#include <ops/text/diagnostics.hpp>

#include <optional>
#include <string>

namespace exeat::ops {

// Nothing when the text is no such ACL. The diagnostics name what the list does not say, errors, and what is to be known, warnings.
std::optional<imported_list> import_smokescreen(const std::string& text, const import_wishes&, diagnostics&);

} // namespace exeat::ops
