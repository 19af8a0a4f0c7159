// What the detectors are told of traffic, and what they say. Values; the texts are only valid during the call.
#pragma once

#include <exeat/ip_address.hpp>
#include <exeat/rule.hpp>
#include <exeat/verdict.hpp>

#include <array>
#include <chrono>
#include <cstdint>
#include <string_view>
#include <vector>

namespace exeat::detect {

using moment = std::chrono::seconds; // since any beginning that is the same for all events; never goes back

enum class flow_step : std::uint8_t { open, deny, progress, close };

struct flow_entry {
    std::uint64_t id = 0;   // rule::id, the same in every process; 0: none
    std::uint32_t slot = 0; // of its label; entries may share one
    bool operator==(const flow_entry&) const = default;
};

struct flow_event {
    flow_step step = flow_step::open;
    verdict said = verdict::allowed; // deny: why
    moment at{0};
    moment age{0};        // of the tunnel
    std::uint64_t id = 0; // of the tunnel
    ip_address client;
    flow_entry entry;
    enum purpose purpose = purpose::pull;
    std::string_view host;
    std::uint64_t up = 0, down = 0; // octets since the last event of this tunnel
    std::uint64_t tunnel_up = 0;    // close: in all
    std::uint32_t times = 1;        // deny: how many it stands for
    bool wildcard = false;          // the entry names the host by a wildcard
    bool over_budget = false;       // close: a budget cut it
    bool over_new_host = false;     // what it may send to a host that is new to its client is spent
};

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
inline constexpr std::array<std::string_view, 3> severity_words{"info", "warning", "critical"};

struct detector_facts {
    std::string_view name;
    severity how;
    std::string_view technique; // MITRE ATT&CK
};
inline constexpr std::array<detector_facts, detectors> facts{{
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
}};
constexpr const detector_facts& about(detector d) noexcept { return facts[static_cast<std::size_t>(d)]; }

struct finding {
    detector which;
    ip_address client;
    flow_entry entry;
    double value = 0, threshold = 0; // in the detector's unit
};
using findings = std::vector<finding>;

// Of these only one each `quiet` is told: what goes on is not news.
class repeat_guard {
public:
    bool may(moment now, moment quiet) noexcept
    {
        if (told_ && now < last_ + quiet) return false;
        told_ = true, last_ = now;
        return true;
    }

    template <class Archive> void fields(Archive& a) { a(last_, told_); }

private:
    moment last_{0};
    bool told_ = false;
};

} // namespace exeat::detect
