#include <exeat/ending.hpp>

#include <exeat/enum_array.hpp>

#include <array>

namespace exeat {

namespace {
constexpr enum_array<ending, std::string_view, endings> words{
    "finished", "client_closed", "client_reset",  "upstream_reset", "idle_timeout",      "policy_revoked", "expired",
    "budget",   "max_age",       "anomaly",       "quarantined",    "audit_unavailable", "refused_inside", "upstream_malformed",
    "drained",  "stopped",       "internal_error"};
}

std::string_view to_string(ending e) noexcept { return words[e]; }

} // namespace exeat
