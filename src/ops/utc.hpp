// Moments as people and scripts read them. Pure; any thread.
#pragma once

#include <exeat/rule.hpp>

#include <string>

namespace exeat::ops {

std::string utc(wall_time); // RFC 3339: "2026-12-24T00:00:00Z"; "never" for never

} // namespace exeat::ops
