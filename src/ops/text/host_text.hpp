// Explains invalid and unsuitable host patterns and how to fix them. Pure; any thread.
#pragma once

#include <exeat/names/name_index.hpp>
#include <exeat/rule.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace exeat::ops {

// For text that host_pattern::parse rejected.
std::string explain_bad_host(std::string_view text);

// Why this entry cannot have this valid host; empty when it can.
std::string objection_to(const host_pattern&, const rule&);

} // namespace exeat::ops
