// Host patterns as people write them wrongly: what is wrong, and how to fix it. Pure; any thread.
#pragma once

#include <exeat/names/name_index.hpp>
#include <exeat/rule.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace exeat::ops {

// For text that host_pattern::parse refused.
std::string explain_bad_host(std::string_view text);

// Why an entry cannot have this host, though it is one; empty when it can.
std::string objection_to(const host_pattern&, const rule&);

} // namespace exeat::ops
