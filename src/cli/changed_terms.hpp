// A term of an entry that differs between two allowlists, with both values: "upload more: 50 MiB/1h → 500 MiB/1h". Pure; any thread.
#pragma once

#include <exeat/diff/policy_diff.hpp>

#include <string>
#include <string_view>

namespace exeat::cli {

// `term` as in policy_change::terms, with the old and the new value if they are known.
std::string with_values(std::string_view term, const policy_change&, const policy& before, const policy& after);

} // namespace exeat::cli
