// The detectors by name: the severity of their findings, and the MITRE ATT&CK technique that a finding indicates. Values.
#pragma once

#include <exeat/enum_array.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace exeat::detect {

enum class detector : std::uint8_t {
    upload_budget,
    pull_upload,
    drip,
    direction_flip,
    first_seen,
    long_tunnel,
    beacon,
    denied_burst,
    name_mismatch,
    name_channel,
    fan_out,
    uniform_chunks,
    collusion
};
inline constexpr std::size_t detectors = 13;

enum class severity : std::uint8_t { info, warning, critical };
inline constexpr enum_array<severity, std::string_view, 3> severity_words{"info", "warning", "critical"};

struct detector_facts {
    std::string_view name;
    severity how;
    std::string_view technique; // MITRE ATT&CK
};
inline constexpr enum_array<detector, detector_facts, detectors> facts{{{
    {"upload_budget", severity::critical, "T1048"},
    {"pull_upload", severity::critical, "T1567"},
    {"drip", severity::warning, "T1030"},
    {"direction_flip", severity::warning, "T1048"},
    {"first_seen", severity::warning, "T1567"},
    {"long_tunnel", severity::info, "T1572"},
    {"beacon", severity::warning, "T1071"},
    {"denied_burst", severity::warning, "T1046"},
    {"name_mismatch", severity::critical, "T1090.004"},
    {"name_channel", severity::critical, "T1071.004"},
    {"fan_out", severity::warning, "T1567"},
    {"uniform_chunks", severity::warning, "T1030"},
    {"collusion", severity::critical, "T1048"},
}}};
constexpr const detector_facts& about(detector d) noexcept { return facts[d]; }

} // namespace exeat::detect
