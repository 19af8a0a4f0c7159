// A target as people write it in [[expect]] and to `exeat explain`: "host:port" is a CONNECT, "http://host[:port][/…]" a plain HTTP
// request. Pure; any thread.
#pragma once

#include <exeat/target.hpp>

#include <string>
#include <string_view>

namespace exeat::ops {

boost::system::result<target, verdict> parse_asked_target(std::string_view text);

// What a person pastes, as a target: a URL of any scheme, a path or a user left in, a port left out. The same text where it is one already.
std::string as_target(std::string_view pasted);

} // namespace exeat::ops
