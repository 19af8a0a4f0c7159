// Times as text for people and scripts. Pure; any thread.
#pragma once

#include <exeat/rule.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace exeat::ops {

std::string utc(wall_time); // RFC 3339: "2026-12-24T00:00:00Z"; "never" for never
// Parses the same format; a fraction, or anything else between the second and the Z, is ignored. Empty for any other text.
std::optional<wall_time> parse_utc(std::string_view) noexcept;

} // namespace exeat::ops
