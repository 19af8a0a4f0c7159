// The decision about a tunnel's request, with everything that depends on the client and the time. It is made when the request arrives, and
// again by every later list and whenever something expires, until the request is over. Worker's thread.
#pragma once

#include <net/account.hpp>
#include <net/refuse.hpp>

#include <optional>

namespace exeat::net {

// Judges tunnel::to by the list in force, stores the result in tunnel::decision, counts a new name under a wildcard, and applies the
// decision to the account. A name that is not allowed is not used any further.
checked judge(tunnel&);

// Call when the list has changed or time has passed. Checks again everything that was allowed, and applies the new decision or returns the
// reason why the tunnel must end. Throws std::bad_alloc; then the tunnel must end.
std::optional<interruption> judge_again(tunnel&);

// Whether an analyst has quarantined the client or the entry that allows the tunnel.
bool is_quarantined(const tunnel&) noexcept;
inline constexpr interruption quarantine_interruption{ending::quarantined, verdict::quarantined};

} // namespace exeat::net
