// The decision about a tunnel's request, with all that depends on who asks and when: first at the decision, and again by every later list
// and whenever something expires, until the request is over. Worker's thread.
#pragma once

#include <net/account.hpp>
#include <net/refuse.hpp>

#include <optional>

namespace exeat::net {

// Judges tunnel::to by the list in force into tunnel::decision, counts a new name under a wildcard, and holds the account to what the
// decision allows. A name that is not allowed goes no further.
checked judge(tunnel&);

// The list has changed, or time has passed: whether what the tunnel was allowed is still allowed, in every respect that was checked. Then
// it is held to the new decision; else the reason why it must end is returned. Throws std::bad_alloc, and then the tunnel must end.
std::optional<interruption> judge_again(tunnel&);

// Whether an analyst has quarantined the client, or the entry that allows the tunnel.
bool is_quarantined(const tunnel&) noexcept;
inline constexpr interruption quarantine_interruption{ending::quarantined, verdict::quarantined};

} // namespace exeat::net
