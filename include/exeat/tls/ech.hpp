// Encrypted ClientHellos (RFC 9849): what a hello hides, and what an entry permits. Pure values; any thread.
#pragma once

#include <exeat/enum_array.hpp>

#include <array>
#include <cstdint>
#include <string_view>

namespace exeat {

// Ascending by the evidence that something is hidden.
enum class hidden_hello : std::uint8_t {
    none,
    // An encrypted_client_hello with its own key, as in the first hello of a connection (section 5). Either real or GREASE (section 6.2),
    // which browsers always send; an observer cannot distinguish them.
    outer,
    // Any other encrypted_client_hello. After a HelloRetryRequest a real one has no key of its own, and GREASE is the same as before. Also
    // ESNI (0xffce).
    other,
};

enum class ech_policy : std::uint8_t {
    deny,
    grease, // permits what may be GREASE
    allow,
};
inline constexpr enum_array<ech_policy, std::string_view, 3> ech_policy_words{"deny", "grease", "allow"};

constexpr bool permits(ech_policy p, hidden_hello h) noexcept { return static_cast<std::uint8_t>(h) <= static_cast<std::uint8_t>(p); }
static_assert(permits(ech_policy::deny, hidden_hello::none) && !permits(ech_policy::deny, hidden_hello::outer));
static_assert(permits(ech_policy::grease, hidden_hello::outer) && !permits(ech_policy::grease, hidden_hello::other));
static_assert(permits(ech_policy::allow, hidden_hello::other));

} // namespace exeat
