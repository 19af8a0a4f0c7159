#include <exeat/ending.hpp>

#include <array>

namespace exeat {

namespace {
constexpr std::array<std::string_view, endings> words{
    "finished", "client_closed", "client_reset",  "upstream_reset", "idle_timeout",      "policy_revoked", "expired",
    "budget",   "max_age",       "anomaly",       "quarantined",    "audit_unavailable", "refused_inside", "upstream_malformed",
    "drained",  "stopped",       "internal_error"};
}

std::string_view to_string(ending e) noexcept { return words[static_cast<std::size_t>(e)]; }

} // namespace exeat
