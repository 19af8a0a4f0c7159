// A target as people write it in [[expect]] and to `exeat explain`: "host:port" is a CONNECT, "http://host[:port][/…]" a plain HTTP
// request. Pure; any thread.
#pragma once

#include <exeat/target.hpp>

#include <string_view>

namespace exeat::ops {

boost::system::result<target, verdict> parse_asked_target(std::string_view text);

} // namespace exeat::ops
