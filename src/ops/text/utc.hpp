// Moments as people and scripts read them. Pure; any thread.
#pragma once

#include <exeat/rule.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace exeat::ops {

std::string utc(wall_time); // RFC 3339: "2026-12-24T00:00:00Z"; "never" for never
// The same back; a fraction, or whatever stands between the second and the Z, is left out. Nothing for any other text.
std::optional<wall_time> parse_utc(std::string_view) noexcept;

} // namespace exeat::ops
