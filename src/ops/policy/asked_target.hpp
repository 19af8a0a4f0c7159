// A target as in [[expect]] and for `exeat explain`: "host:port" is a CONNECT, "http://host[:port][/…]" a plain HTTP request. Pure; any
// thread.
#pragma once

#include <exeat/target.hpp>

#include <string>
#include <string_view>

namespace exeat::ops {

boost::system::result<target, verdict> parse_asked_target(std::string_view text);

// Turns pasted text into a target; it may be a URL of any scheme, have a path or a user, or lack a port. Text that is already a target, or
// cannot become one, is returned unchanged.
std::string as_target(std::string_view pasted);

} // namespace exeat::ops
